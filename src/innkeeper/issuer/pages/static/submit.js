// Sends the form of the page on, so that nobody has to press Continue. The page works without it.
document.querySelector("form").submit();
