// Sends the form of the page on, so that nobody has to press Continue. The page works without it.
// The method comes from the prototype: a field named "submit" would hide the form's own.
HTMLFormElement.prototype.submit.call(document.querySelector("form"));
