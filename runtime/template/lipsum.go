package template

import (
	"math/rand/v2"
	"strings"

	"github.com/tfgen/tfgen/runtime/template/py"
)

var (
	lipsumArgs  = py.NewSignature("generate_lorem_ipsum", "n? html? min? max?")
	lipsumWords = strings.Fields("a ac accumsan ad adipiscing aenean aliquam amet ante aptent arcu at auctor augue bibendum blandit " +
		"commodo congue consequat cras cubilia cum curabitur dapibus diam dictum dignissim dolor donec dui egestas eget elit enim erat " +
		"eros est et etiam eu facilisi fames faucibus felis fermentum feugiat fringilla fusce gravida habitasse hendrerit iaculis id " +
		"imperdiet in integer ipsum justo lacus lectus leo libero ligula lobortis lorem luctus maecenas magna massa mattis mauris metus " +
		"mi mollis morbi nam nec neque nibh nisi non nulla nunc odio orci ornare parturient pede phasellus porta primis proin pulvinar " +
		"quam quis rhoncus risus rutrum sagittis sapien sed sem semper sit sociis sodales suscipit tellus tempor tincidunt tortor " +
		"tristique turpis ultrices urna ut varius vel velit vestibulum vitae vivamus volutpat vulputate")
)

// lipsum is random filler text in paragraphs.
func lipsum(m *py.Machine, a py.Args) Value {
	b := lipsumArgs.Bind(a)
	n, low, high := py.WantInt(b[0], 5), py.WantInt(b[2], 20), py.WantInt(b[3], 100)
	html := b[1] == nil || m.Truth(b[1])
	if high <= low || low < 0 {
		py.Throw("ValueError", "empty range for randrange() (%d, %d)", low, high)
	}
	var out []string
	for range n {
		count := low + rand.IntN(high-low)
		m.AllocTimes(12, int64(count))
		words := make([]string, count)
		for i := range words {
			words[i] = lipsumWords[rand.IntN(len(lipsumWords))]
		}
		text := py.Capitalize(strings.Join(words, " ")) + "."
		if html {
			text = "<p>" + text + "</p>"
		}
		out = append(out, text)
	}
	if html {
		return py.Markup(strings.Join(out, "\n"))
	}
	return strings.Join(out, "\n\n")
}
