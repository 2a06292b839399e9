variable "name_prefix" {
  description = "What the names of everything made here begin with, for example \"hotel-dev\"."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name_prefix))
    error_message = "name_prefix must have 3 to 32 characters, begin with a letter, end with a letter or digit, and have only lower-case letters, digits and hyphens: write for example \"hotel-dev\"."
  }
}

variable "tenant_id" {
  description = "The tenant's id, a GUID. It becomes part of the issuer."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", var.tenant_id))
    error_message = "tenant_id must be a GUID. The portal shows it as \"Tenant ID\" on the tenant's overview; a domain name will not do, because tokens name the tenant by its GUID."
  }
}

variable "api_identifier" {
  description = "What the API is called: its Application ID URI, which full scope names begin with. Left empty it is api:// and the API's client id, which every tenant takes. An address such as \"https://api.hotel.example\" needs its domain to be verified in the tenant."
  type        = string
  default     = ""

  validation {
    condition     = var.api_identifier == "" || (can(regex("^(api|https)://[^\\s/?#]+(/[^\\s?#]*)?$", var.api_identifier)) && !endswith(var.api_identifier, "/"))
    error_message = "api_identifier must begin with api:// or https://, have no query, fragment or white space, and no slash at its end: Entra ID refuses those. Leave it empty for api:// and the API's own client id."
  }
}

variable "scopes" {
  description = "What the API can be asked for: names, and what each lets its holder do, in words for people. Each becomes a delegated scope, for applications that people sign in to, and an app role, for programs that act for themselves."
  type        = map(string)
  default = {
    read  = "Read from the API"
    write = "Write to the API"
  }

  validation {
    condition     = length(var.scopes) > 0
    error_message = "scopes must name at least one scope: an API that can be asked for nothing gives no tokens that mean anything."
  }

  validation {
    condition     = alltrue([for name, _ in var.scopes : can(regex("^[A-Za-z0-9!#$%&'()*+,./:;<=>?@^_`{|}~\\[\\]-]{1,120}$", name)) && !startswith(name, ".")])
    error_message = "A scope's name must have 1 to 120 characters, no space, quotation mark or backslash, and not begin with a full stop. Colons are fine: \"room:enter\"."
  }
}

variable "machine_clients" {
  description = "Programs that get tokens for themselves (client credentials): a name each, and the scopes it may have, by the names in scopes. With a subject in federated_credential it needs no secret: a token of that issuer takes its place."
  type = map(object({
    scopes = set(string)
    federated_credential = optional(object({
      issuer   = string
      subject  = string
      audience = optional(string, "api://AzureADTokenExchange")
    }))
  }))
  default = { agent = { scopes = ["read"] } }

  validation {
    condition     = alltrue([for client in values(var.machine_clients) : length(client.scopes) > 0 && length(setsubtract(client.scopes, keys(var.scopes))) == 0])
    error_message = "Every machine client needs at least one scope, and each must be one of those named in scopes."
  }

  validation {
    condition     = alltrue([for client in values(var.machine_clients) : client.federated_credential == null || can(regex("^https://", client.federated_credential.issuer))])
    error_message = "A federated credential's issuer must be an https address, for example \"https://token.actions.githubusercontent.com\"."
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
      can(regex("^[a-z][a-z0-9+.-]*://[^#*]+$", uri)) && (!startswith(uri, "http://") || can(regex("^http://(localhost|127\\.0\\.0\\.1)(:[0-9]+)?(/|$)", uri)))
    ])
    error_message = "Redirect and logout URIs must be https, http on localhost or 127.0.0.1, or an app's own scheme, and have no fragment and no asterisk."
  }

  validation {
    condition     = alltrue([for client in values(var.web_clients) : length(client.logout_uris) <= 1])
    error_message = "Entra ID takes one logout URI per application: give at most one."
  }

  validation {
    condition     = alltrue([for client in values(var.web_clients) : length(setsubtract(client.scopes, keys(var.scopes))) == 0])
    error_message = "A web client asks for a scope that is not named in scopes. The OpenID scopes (openid, profile, email) come by themselves."
  }
}

variable "groups" {
  description = "Security groups of people, and what each is for."
  type        = map(string)
  default     = {}
}

variable "secret_days" {
  description = "How long a client's secret works, in days. Entra ID allows two years at most from the portal; less is better."
  type        = number
  default     = 180

  validation {
    condition     = var.secret_days >= 1 && var.secret_days <= 730
    error_message = "secret_days must lie between 1 and 730."
  }
}

variable "secrets_begin" {
  description = "From when the secrets count, as 2026-11-27T00:00:00Z. A new date makes new secrets at the next apply."
  type        = string

  validation {
    condition     = can(timeadd(var.secrets_begin, "0h"))
    error_message = "secrets_begin must be a time as 2026-11-27T00:00:00Z."
  }
}

variable "owners" {
  description = "Object ids of those who own the applications, beside nobody. Whoever applies this with the permission Application.ReadWrite.OwnedBy has to be among them."
  type        = set(string)
  default     = []
}
