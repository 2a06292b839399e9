"""The error codes that go on the wire, each under the specification that registers it."""

# RFC 6749 §4.1.2.1 and §5.2
INVALID_REQUEST = "invalid_request"
INVALID_CLIENT = "invalid_client"
INVALID_GRANT = "invalid_grant"
UNAUTHORIZED_CLIENT = "unauthorized_client"
UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type"
INVALID_SCOPE = "invalid_scope"
ACCESS_DENIED = "access_denied"
SERVER_ERROR = "server_error"
TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"

# RFC 8628 §3.5
AUTHORIZATION_PENDING = "authorization_pending"
SLOW_DOWN = "slow_down"
EXPIRED_TOKEN = "expired_token"

# OpenID CIBA Core §13
INVALID_BINDING_MESSAGE = "invalid_binding_message"
UNKNOWN_USER_ID = "unknown_user_id"

# RFC 6750 §3.1
INVALID_TOKEN = "invalid_token"
INSUFFICIENT_SCOPE = "insufficient_scope"

# RFC 9470 §3
INSUFFICIENT_USER_AUTHENTICATION = "insufficient_user_authentication"

# RFC 9449 §5, §8
INVALID_DPOP_PROOF = "invalid_dpop_proof"
USE_DPOP_NONCE = "use_dpop_nonce"

# RFC 8707 §2
INVALID_TARGET = "invalid_target"

# RFC 9396 §5
INVALID_AUTHORIZATION_DETAILS = "invalid_authorization_details"

# RFC 7009 §2.2.1
UNSUPPORTED_TOKEN_TYPE = "unsupported_token_type"

# OpenID Connect Core §3.1.2.6
LOGIN_REQUIRED = "login_required"
CONSENT_REQUIRED = "consent_required"
INTERACTION_REQUIRED = "interaction_required"
ACCOUNT_SELECTION_REQUIRED = "account_selection_required"
REQUEST_NOT_SUPPORTED = "request_not_supported"
REQUEST_URI_NOT_SUPPORTED = "request_uri_not_supported"
REGISTRATION_NOT_SUPPORTED = "registration_not_supported"
INVALID_REQUEST_OBJECT = "invalid_request_object"
INVALID_REQUEST_URI = "invalid_request_uri"

# RFC 7591 §3.2.2
INVALID_CLIENT_METADATA = "invalid_client_metadata"
INVALID_REDIRECT_URI = "invalid_redirect_uri"

# OpenID Connect Core Error Code unmet_authentication_requirements 1.0
UNMET_AUTHENTICATION_REQUIREMENTS = "unmet_authentication_requirements"
