output "issuer" {
  description = "The issuer: what the claim iss of every token says, to the character."
  value       = local.issuer
}

output "discovery_url" {
  description = "The discovery document."
  value       = "${local.issuer}/.well-known/openid-configuration"
}

output "jwks_uri" {
  description = "The public keys that tokens are verified with."
  value       = "${local.issuer}/.well-known/jwks.json"
}

output "token_endpoint" {
  description = "Where programs get tokens. It is on the domain's host, not on the issuer's."
  value       = "https://${local.domain}/oauth2/token"
}

output "authorization_endpoint" {
  description = "Where a browser is sent to sign somebody in."
  value       = "https://${local.domain}/oauth2/authorize"
}

output "audience" {
  description = "What an API checks its tokens against. Cognito's access tokens have no aud, so it is the ids of the clients (claim client_id)."
  value       = sort([for client in merge(aws_cognito_user_pool_client.machine, aws_cognito_user_pool_client.web) : client.id])
}

output "audience_claim" {
  description = "The claim that audience is to be looked for in."
  value       = "client_id"
}

output "client_ids" {
  description = "The clients' ids, by name."
  value       = { for name, client in merge(aws_cognito_user_pool_client.machine, aws_cognito_user_pool_client.web) : name => client.id }
}

output "client_secrets" {
  description = "The clients' secrets, by name; public clients have none."
  value = merge(
    { for name, client in aws_cognito_user_pool_client.machine : name => client.client_secret },
    { for name, client in aws_cognito_user_pool_client.web : name => client.client_secret if !var.web_clients[name].public },
  )
  sensitive = true
}

output "scopes" {
  description = "The scopes as requests and tokens spell them, by their names here."
  value       = local.full_scopes
}

output "request_scopes" {
  description = "What each machine client sends as scope, by client."
  value       = { for name, client in var.machine_clients : name => join(" ", sort([for scope in client.scopes : local.full_scopes[scope]])) }
}

output "user_pool_id" {
  description = "The user pool's id."
  value       = aws_cognito_user_pool.this.id
}
