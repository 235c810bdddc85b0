package near

import "testing"

func TestName(t *testing.T) {
	for _, c := range []struct{ word, want string }{
		{"hiden_size", "hidden_size"}, {"hidden_size", "hidden_size"}, {"tmep", "temp"}, {"zzzzzzz", ""}, {"", ""},
	} {
		got, ok := Name(c.word, []string{"hidden_size", "temp", "top-k"})
		if got != c.want || ok != (c.want != "") {
			t.Errorf("Name(%q) = %q, %v, expected %q", c.word, got, ok, c.want)
		}
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"kitten", "sitting", 3}, {"", "abc", 3}, {"abc", "abc", 0}, {"abc", "abcdefghijkl", 5}} {
		if got := distance(c.a, c.b, 5); got != c.want {
			t.Errorf("distance(%q, %q) = %d, expected %d", c.a, c.b, got, c.want)
		}
	}
}
