# terraform test: plans the module against a mock of the provider, so no account is needed.

mock_provider "aws" {}

variables {
  name     = "tools"
  role_arn = "arn:aws:iam::123456789012:role/gateway"
  login = {
    discovery_url  = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aaaaaaaaa/.well-known/openid-configuration"
    audience       = ["1example23456789"]
    audience_claim = "client_id"
  }
}

run "cognitos_tokens_are_known_by_their_client" {
  command = plan

  assert {
    condition     = jsondecode(output.authorizer_json).customJWTAuthorizer.allowedClients == ["1example23456789"]
    error_message = "another check is made: ${output.authorizer_json}"
  }
}

run "an_authorizer_that_would_take_any_token_is_refused" {
  command = plan

  variables {
    login = {
      discovery_url  = "https://issuer.example/.well-known/openid-configuration"
      audience       = []
      audience_claim = "aud"
    }
  }

  expect_failures = [var.login]
}
