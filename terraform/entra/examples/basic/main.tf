# A hotel's API, an agent that may enter rooms, an application that guests sign in to.

provider "azuread" {}

data "azuread_client_config" "current" {}

module "login" {
  source = "../.."

  name_prefix   = "hotel-dev"
  tenant_id     = data.azuread_client_config.current.tenant_id
  secrets_begin = "2026-11-27T00:00:00Z"
  owners        = [data.azuread_client_config.current.object_id]

  scopes = {
    "room:enter" = "Open the door of your room"
    "gym:enter"  = "Use the gym while it is open"
  }

  machine_clients = {
    concierge = { scopes = ["room:enter", "gym:enter"] }
  }

  web_clients = {
    app = {
      redirect_uris = ["http://localhost:8765/callback"]
      scopes        = ["room:enter"]
      public        = true
    }
  }
}

output "login" {
  description = "What `innkeeper connect` reads, less the secrets."
  value = {
    issuer         = module.login.issuer
    discovery_url  = module.login.discovery_url
    token_endpoint = module.login.token_endpoint
    audience       = module.login.audience
    audience_claim = module.login.audience_claim
    client_ids     = module.login.client_ids
    scopes         = module.login.scopes
    request_scopes = module.login.request_scopes
  }
}

output "client_secrets" {
  description = "The clients' secrets: terraform output -json client_secrets"
  value       = module.login.client_secrets
  sensitive   = true
}
