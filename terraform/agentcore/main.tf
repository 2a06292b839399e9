locals {
  by_client = var.login.audience_claim == "client_id"

  claims = [
    for name, claim in var.required_claims : {
      inboundTokenClaimName      = name
      inboundTokenClaimValueType = claim.equals != null ? "STRING" : "STRING_ARRAY"
      authorizingClaimMatchValue = {
        claimMatchOperator = claim.equals != null ? "EQUALS" : "CONTAINS"
        claimMatchValue    = { matchValueString = coalesce(claim.equals, claim.contains) }
      }
    }
  ]

  # The configuration word for word as AgentCore's API takes it.
  authorizer = merge(
    { discoveryUrl = var.login.discovery_url },
    local.by_client ? { allowedClients = var.login.audience } : { allowedAudience = var.login.audience },
    length(var.allowed_scopes) > 0 ? { allowedScopes = var.allowed_scopes } : {},
    length(local.claims) > 0 ? { customClaims = local.claims } : {},
  )
}

resource "aws_bedrockagentcore_gateway" "this" {
  name            = var.name
  role_arn        = var.role_arn
  protocol_type   = "MCP"
  authorizer_type = "CUSTOM_JWT"

  authorizer_configuration {
    custom_jwt_authorizer {
      discovery_url    = var.login.discovery_url
      allowed_clients  = local.by_client ? var.login.audience : null
      allowed_audience = local.by_client ? null : var.login.audience
    }
  }

  lifecycle {
    # The provider does not know these two yet; applying them without saying so would leave a door open.
    precondition {
      condition     = length(var.allowed_scopes) == 0 && length(var.required_claims) == 0
      error_message = "hashicorp/aws cannot set allowedScopes and customClaims yet. Leave both empty here and set them with: aws bedrock-agentcore-control update-gateway --authorizer-configuration \"$(terraform output -raw authorizer_json)\", or check scopes in the tools behind the gateway."
    }
  }
}
