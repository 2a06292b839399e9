// Passkeys: asks the device, puts its answer into the page's form and sends it. Without scripts the password works.
const field = document.querySelector("[data-passkey]");
const button = document.getElementById("passkey-button");
const problem = document.getElementById("passkey-problem");
const making = field.dataset.passkey === "create";

async function ask() {
  problem.hidden = true;
  button.disabled = true;
  try {
    const options = JSON.parse(field.dataset.options);
    const answer = making
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    field.value = JSON.stringify(answer.toJSON());
    HTMLFormElement.prototype.submit.call(field.form);
  } catch {
    problem.hidden = false;
    button.disabled = false;
  }
}

if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  button.addEventListener("click", ask);
  document.getElementById("passkey-offer").hidden = false;
}
