# terraform test: plans the module against mocks of the providers, so no tenant is needed.

mock_provider "azuread" {}

mock_provider "random" {}

variables {
  name_prefix    = "hotel-dev"
  tenant_id      = "11111111-2222-3333-4444-555555555555"
  secrets_begin  = "2026-11-27T00:00:00Z"
  api_identifier = "api://hotel"
}

run "the_issuer_is_the_tenants_of_version_2" {
  command = plan

  assert {
    condition     = output.issuer == "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0"
    error_message = "another issuer: ${output.issuer}"
  }
}

run "a_machine_asks_for_everything_it_was_assigned" {
  command = plan

  assert {
    condition     = output.request_scopes["agent"] == "api://hotel/.default"
    error_message = "another scope is asked for: ${output.request_scopes["agent"]}"
  }
}

run "a_tenant_by_name_is_refused" {
  command = plan

  variables {
    tenant_id = "hotel.example"
  }

  expect_failures = [var.tenant_id]
}
