# A gateway that takes the tokens of a Cognito user pool, and of no other client of it.

provider "aws" {
  region = "eu-west-1"
}

variable "role_arn" {
  description = "The role that the gateway calls its targets with."
  type        = string
}

module "login" {
  source = "../../../cognito"

  name_prefix    = "hotel-agents"
  region         = "eu-west-1"
  api_identifier = "https://tools.hotel.example"

  machine_clients = {
    concierge = { scopes = ["read"] }
  }
}

module "gateway" {
  source = "../.."

  name     = "hotel-tools"
  role_arn = var.role_arn
  login    = module.login
}

output "gateway_url" {
  description = "Where agents find the tools."
  value       = module.gateway.gateway_url
}
