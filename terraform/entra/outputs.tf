output "issuer" {
  description = "The issuer: what the claim iss of every token says, to the character."
  value       = "${local.login}/v2.0"
}

output "discovery_url" {
  description = "The discovery document."
  value       = "${local.login}/v2.0/.well-known/openid-configuration"
}

output "jwks_uri" {
  description = "The public keys that tokens are verified with."
  value       = "${local.login}/discovery/v2.0/keys"
}

output "token_endpoint" {
  description = "Where programs get tokens."
  value       = "${local.login}/oauth2/v2.0/token"
}

output "authorization_endpoint" {
  description = "Where a browser is sent to sign somebody in."
  value       = "${local.login}/oauth2/v2.0/authorize"
}

output "audience" {
  description = "What an API checks its tokens against: tokens of version 2 name the API by its client id, whatever URI was asked for."
  value       = [azuread_application_registration.api.client_id]
}

output "audience_claim" {
  description = "The claim that audience is to be looked for in."
  value       = "aud"
}

output "client_ids" {
  description = "The clients' ids, by name."
  value       = { for name, client in merge(azuread_application.machine, azuread_application.web) : name => client.client_id }
}

output "client_secrets" {
  description = "The clients' secrets, by name; public clients and those with a federated credential have none."
  value       = { for name, password in merge(azuread_application_password.machine, azuread_application_password.web) : name => password.value }
  sensitive   = true
}

output "scopes" {
  description = "The scopes as requests spell them, by their names here. Tokens of people have the name alone (scp), those of machines the role (roles)."
  value       = local.full_scopes
}

output "request_scopes" {
  description = "What each machine client sends as scope, by client: Entra ID gives a machine all its roles at once, and takes nothing but .default."
  value       = { for name, _ in var.machine_clients : name => "${local.api_identifier}/.default" }
}

output "roles" {
  description = "The app roles as machines' tokens spell them (claim roles), by the names in scopes."
  value       = { for name, role in azuread_application_app_role.api : name => role.value }
}

output "tenant_id" {
  description = "The tenant's id."
  value       = var.tenant_id
}
