output "gateway_url" {
  description = "The gateway's MCP address."
  value       = aws_bedrockagentcore_gateway.this.gateway_url
}

output "authorizer_json" {
  description = "The authorizer's configuration as AgentCore's API takes it; `innkeeper explain - --as FILE` judges a token by it."
  value       = jsonencode({ customJWTAuthorizer = local.authorizer })
}
