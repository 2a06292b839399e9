variable "name" {
  description = "The gateway's name."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-zA-Z]([0-9a-zA-Z-]{0,46}[0-9a-zA-Z])?$", var.name))
    error_message = "name must have 1 to 48 letters, digits and hyphens, and begin and end with a letter or digit."
  }
}

variable "role_arn" {
  description = "The ARN of the role that the gateway calls its targets with."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/", var.role_arn))
    error_message = "role_arn must be a role's ARN, as \"arn:aws:iam::123456789012:role/gateway\"."
  }
}

variable "login" {
  description = "Whose tokens are taken: outputs of the module cognito or entra beside this one."
  type = object({
    discovery_url  = string
    audience       = list(string)
    audience_claim = string
  })

  validation {
    condition     = endswith(var.login.discovery_url, "/.well-known/openid-configuration") && startswith(var.login.discovery_url, "https://")
    error_message = "login.discovery_url must be an https address that ends in /.well-known/openid-configuration: AgentCore takes no other."
  }

  validation {
    condition     = contains(["aud", "client_id"], var.login.audience_claim)
    error_message = "login.audience_claim must be \"aud\" (Entra ID, innkeeper) or \"client_id\" (Cognito, whose access tokens have no aud)."
  }

  validation {
    condition     = length(var.login.audience) > 0
    error_message = "login.audience must name at least one audience: AgentCore skips a check that is not configured, and would take any token of the issuer."
  }
}

variable "required_claims" {
  description = "Further claims that a token must have, by name: text that must be equal, or a list that must hold it. For Entra ID's machines for example { roles = { contains = \"role.read\" } }. AgentCore compares letters, digits, dots, hyphens and underscores only."
  type = map(object({
    equals   = optional(string)
    contains = optional(string)
  }))
  default = {}

  validation {
    condition     = alltrue([for claim in values(var.required_claims) : (claim.equals == null) != (claim.contains == null)])
    error_message = "Each required claim has either equals or contains."
  }

  validation {
    condition     = alltrue([for claim in values(var.required_claims) : can(regex("^[A-Za-z0-9_.-]+$", coalesce(claim.equals, claim.contains, "-")))])
    error_message = "AgentCore takes letters, digits, dots, hyphens and underscores in a claim's value: no colon, no slash, so no URI."
  }
}

variable "allowed_scopes" {
  description = "Scopes of which a token must have at least one; empty means that none is asked for."
  type        = list(string)
  default     = []
}
