package py

import (
	"html"
)

// unescape is html.unescape.
func unescape(s string) string { return html.UnescapeString(s) }
