"""What people see: sign-in, consent, errors, signed out. Templates, the stylesheet and the headers around them.

``render`` turns a template and its context into a reply, ``headers`` says what a browser may do with it,
``files`` serves the stylesheet and the mark, ``compare`` finds where two strings differ. No rule of the
protocol is decided here: ``core`` decides, and one handler a page reads what its form sends and asks the desk.
A page may be opened in a pop-up by the client, which watches it through its opener; so none is cut off from it.
"""
