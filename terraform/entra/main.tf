locals {
  api_identifier = var.api_identifier != "" ? var.api_identifier : "api://${azuread_application_registration.api.client_id}"
  login          = "https://login.microsoftonline.com/${var.tenant_id}"

  # The names as requests have them: the Application ID URI, a slash, the scope. In tokens the scope stands alone.
  full_scopes = { for name, _ in var.scopes : name => "${local.api_identifier}/${name}" }

  machine_roles = merge([
    for client, wanted in var.machine_clients : { for scope in wanted.scopes : "${client}/${scope}" => { client = client, scope = scope } }
  ]...)

  with_secret = [for name, client in var.machine_clients : name if client.federated_credential == null]
}

# Stable ids for what the API can be asked for: an id that changed would take away what people and programs were granted.
resource "random_uuid" "scope" {
  for_each = var.scopes
}

resource "random_uuid" "role" {
  for_each = var.scopes
}

resource "azuread_application_registration" "api" {
  display_name                   = "${var.name_prefix} API"
  sign_in_audience               = "AzureADMyOrg"
  requested_access_token_version = 2
}

resource "azuread_application_identifier_uri" "api" {
  application_id = azuread_application_registration.api.id
  identifier_uri = local.api_identifier
}

resource "azuread_application_permission_scope" "api" {
  for_each = var.scopes

  application_id             = azuread_application_registration.api.id
  scope_id                   = random_uuid.scope[each.key].result
  value                      = each.key
  type                       = "User"
  admin_consent_display_name = each.value
  admin_consent_description  = "${each.value}, for the person who is signed in."
  user_consent_display_name  = each.value
  user_consent_description   = "${each.value}, for you."
}

# Scopes and app roles share one name space, so a role's value is the scope's with "role." before it.
resource "azuread_application_app_role" "api" {
  for_each = var.scopes

  application_id       = azuread_application_registration.api.id
  role_id              = random_uuid.role[each.key].result
  value                = "role.${each.key}"
  allowed_member_types = ["Application"]
  display_name         = each.value
  description          = "${each.value}, for a program that acts for itself."
}

resource "azuread_application_owner" "api" {
  for_each = var.owners

  application_id  = azuread_application_registration.api.id
  owner_object_id = each.value
}

resource "azuread_service_principal" "api" {
  client_id                    = azuread_application_registration.api.client_id
  app_role_assignment_required = true
  owners                       = var.owners

  depends_on = [azuread_application_app_role.api, azuread_application_permission_scope.api]
}

resource "azuread_application" "machine" {
  for_each = var.machine_clients

  display_name     = "${var.name_prefix} ${each.key}"
  sign_in_audience = "AzureADMyOrg"
  owners           = var.owners

  api {
    requested_access_token_version = 2
  }

  required_resource_access {
    resource_app_id = azuread_application_registration.api.client_id

    dynamic "resource_access" {
      for_each = each.value.scopes

      content {
        id   = random_uuid.role[resource_access.value].result
        type = "Role"
      }
    }
  }
}

resource "azuread_service_principal" "machine" {
  for_each = var.machine_clients

  client_id = azuread_application.machine[each.key].client_id
  owners    = var.owners
}

# Assigning a role to a program is the administrator's consent to it.
resource "azuread_app_role_assignment" "machine" {
  for_each = local.machine_roles

  app_role_id         = random_uuid.role[each.value.scope].result
  principal_object_id = azuread_service_principal.machine[each.value.client].object_id
  resource_object_id  = azuread_service_principal.api.object_id

  depends_on = [azuread_application_app_role.api]
}

resource "azuread_application_password" "machine" {
  for_each = toset(local.with_secret)

  application_id = azuread_application.machine[each.value].id
  display_name   = "made by Terraform"
  start_date     = var.secrets_begin
  end_date       = timeadd(var.secrets_begin, "${var.secret_days * 24}h")
}

resource "azuread_application_federated_identity_credential" "machine" {
  for_each = { for name, client in var.machine_clients : name => client.federated_credential if client.federated_credential != null }

  application_id = azuread_application.machine[each.key].id
  display_name   = "${var.name_prefix}-${each.key}"
  issuer         = each.value.issuer
  subject        = each.value.subject
  audiences      = [each.value.audience]
}

resource "azuread_application" "web" {
  for_each = var.web_clients

  display_name                   = "${var.name_prefix} ${each.key}"
  sign_in_audience               = "AzureADMyOrg"
  owners                         = var.owners
  fallback_public_client_enabled = each.value.public

  api {
    requested_access_token_version = 2
  }

  dynamic "web" {
    for_each = each.value.public ? [] : [each.value]

    content {
      redirect_uris = web.value.redirect_uris
      logout_url    = one(web.value.logout_uris)
    }
  }

  dynamic "public_client" {
    for_each = each.value.public ? [each.value] : []

    content {
      redirect_uris = public_client.value.redirect_uris
    }
  }

  required_resource_access {
    resource_app_id = azuread_application_registration.api.client_id

    dynamic "resource_access" {
      for_each = each.value.scopes

      content {
        id   = random_uuid.scope[resource_access.value].result
        type = "Scope"
      }
    }
  }
}

resource "azuread_service_principal" "web" {
  for_each = var.web_clients

  client_id = azuread_application.web[each.key].client_id
  owners    = var.owners
}

resource "azuread_application_password" "web" {
  for_each = { for name, client in var.web_clients : name => client if !client.public }

  application_id = azuread_application.web[each.key].id
  display_name   = "made by Terraform"
  start_date     = var.secrets_begin
  end_date       = timeadd(var.secrets_begin, "${var.secret_days * 24}h")
}

# The administrator's consent for everybody in the tenant: nobody is asked again for what stands here.
resource "azuread_service_principal_delegated_permission_grant" "web" {
  for_each = { for name, client in var.web_clients : name => client if length(client.scopes) > 0 }

  service_principal_object_id          = azuread_service_principal.web[each.key].object_id
  resource_service_principal_object_id = azuread_service_principal.api.object_id
  claim_values                         = each.value.scopes

  depends_on = [azuread_application_permission_scope.api]
}

resource "azuread_group" "this" {
  for_each = var.groups

  display_name     = each.key
  description      = each.value
  security_enabled = true
  owners           = var.owners
}
