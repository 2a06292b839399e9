variable "name_prefix" {
  description = "What the names of everything made here begin with, for example \"hotel-dev\"."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name_prefix))
    error_message = "name_prefix must have 3 to 32 characters, begin with a letter, end with a letter or digit, and have only lower-case letters, digits and hyphens: write for example \"hotel-dev\"."
  }
}

variable "region" {
  description = "The AWS region of the user pool, for example \"eu-west-1\". It becomes part of the issuer."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be an AWS region's code, such as \"eu-west-1\" or \"us-gov-west-1\"."
  }
}

variable "domain_prefix" {
  description = "The first part of the domain that people and programs sign in at. Left empty it is name_prefix, a hyphen and the account's number, which nobody else has."
  type        = string
  default     = ""

  validation {
    condition     = var.domain_prefix == "" || (can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.domain_prefix)) && !can(regex("aws|amazon|cognito", var.domain_prefix)))
    error_message = "domain_prefix must have 1 to 63 lower-case letters, digits and hyphens, none at its ends, and must not contain \"aws\", \"amazon\" or \"cognito\": Cognito refuses those."
  }
}

variable "api_identifier" {
  description = "What the API is called: the resource server's identifier, which full scope names begin with. A URI such as \"https://api.hotel.example\" or a short name such as \"hotel\"."
  type        = string

  validation {
    condition     = length(var.api_identifier) >= 1 && length(var.api_identifier) <= 256 && !can(regex("\\s|/$", var.api_identifier))
    error_message = "api_identifier must have 1 to 256 characters, no white space, and no slash at its end: the slash between it and a scope's name is put there by Cognito."
  }
}

variable "scopes" {
  description = "The API's scopes: names, and what each lets its holder do, in words for people."
  type        = map(string)
  default = {
    read  = "Read from the API"
    write = "Write to the API"
  }

  validation {
    condition     = length(var.scopes) > 0 && length(var.scopes) <= 100
    error_message = "scopes must name 1 to 100 scopes, which is as many as a resource server of Cognito takes."
  }

  validation {
    condition     = alltrue([for name, _ in var.scopes : can(regex("^[\\x21\\x23-\\x2E\\x30-\\x5B\\x5D-\\x7E]{1,256}$", name))])
    error_message = "A scope's name must have 1 to 256 printable characters, and no space, quotation mark, slash or backslash. Colons are fine: \"room:enter\"."
  }
}

variable "machine_clients" {
  description = "Programs that get tokens for themselves (client credentials): a name each, and the scopes it may have, by the names in scopes."
  type        = map(object({ scopes = set(string) }))
  default     = { agent = { scopes = ["read"] } }

  validation {
    condition     = alltrue([for client in values(var.machine_clients) : length(client.scopes) > 0 && length(setsubtract(client.scopes, keys(var.scopes))) == 0])
    error_message = "Every machine client needs at least one scope, and each must be one of those named in scopes."
  }
}

variable "web_clients" {
  description = "Applications that people sign in to (authorization code with PKCE): where the browser comes back to after signing in and after signing out, the API's scopes, and whether it is a public client, which keeps no secret."
  type = map(object({
    redirect_uris = set(string)
    logout_uris   = optional(set(string), [])
    scopes        = optional(set(string), [])
    public        = optional(bool, false)
  }))
  default = {}

  validation {
    condition     = alltrue([for client in values(var.web_clients) : length(client.redirect_uris) > 0])
    error_message = "Every web client needs at least one redirect URI: without one nobody can come back from signing in."
  }

  validation {
    condition = alltrue([
      for uri in flatten([for client in values(var.web_clients) : concat(tolist(client.redirect_uris), tolist(client.logout_uris))]) :
      can(regex("^[a-z][a-z0-9+.-]*://[^#]+$", uri)) && (!startswith(uri, "http://") || can(regex("^http://(localhost|127\\.0\\.0\\.1|\\[::1\\])(:[0-9]+)?(/|$)", uri)))
    ])
    error_message = "Redirect and logout URIs must be https, http on localhost, 127.0.0.1 or [::1], or an app's own scheme, and have no fragment: Cognito takes no other http address."
  }

  validation {
    condition     = alltrue([for client in values(var.web_clients) : length(setsubtract(client.scopes, keys(var.scopes))) == 0])
    error_message = "A web client asks for a scope that is not named in scopes. The OpenID scopes (openid, profile, email) come by themselves."
  }
}

variable "groups" {
  description = "Groups of people, and what each is for. A person's groups stand in the claim cognito:groups of their tokens."
  type        = map(string)
  default     = {}
}

variable "access_token_minutes" {
  description = "How long an access token opens anything, in minutes. Short, because it cannot be taken back from an API that verifies it by itself."
  type        = number
  default     = 60

  validation {
    condition     = var.access_token_minutes >= 5 && var.access_token_minutes <= 1440
    error_message = "access_token_minutes must lie between 5 and 1440 (a day), which is what Cognito takes."
  }
}

variable "refresh_token_days" {
  description = "How long an application stays signed in without a person, in days."
  type        = number
  default     = 30

  validation {
    condition     = var.refresh_token_days >= 1 && var.refresh_token_days <= 3650
    error_message = "refresh_token_days must lie between 1 and 3650, which is what Cognito takes."
  }
}

variable "tier" {
  description = "The pool's feature plan: LITE, ESSENTIALS or PLUS. Claims of one's own in access tokens, and managed login, need ESSENTIALS or PLUS."
  type        = string
  default     = "ESSENTIALS"

  validation {
    condition     = contains(["LITE", "ESSENTIALS", "PLUS"], var.tier)
    error_message = "tier must be LITE, ESSENTIALS or PLUS."
  }
}

variable "token_customization_lambda_arn" {
  description = "A Lambda function that changes tokens before they are signed (trigger \"pre token generation\", event version V3_0, which reaches machines' tokens too). Empty means none."
  type        = string
  default     = ""

  validation {
    condition     = var.token_customization_lambda_arn == "" || can(regex("^arn:[a-z-]+:lambda:", var.token_customization_lambda_arn))
    error_message = "token_customization_lambda_arn must be a Lambda function's ARN, which begins with arn:aws:lambda:, or empty."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the pool until this is turned off. Turn it on where people's accounts are in it."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of the user pool."
  type        = map(string)
  default     = {}
}
