package py

import (
	"fmt"
	"strings"
	"time"
)

// Strftime is datetime.strftime of a time without a zone, in the C locale of glibc.
func Strftime(t time.Time, format string) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		start := i
		flag := byte(0)
		for i++; i < len(format) && strings.IndexByte("-_0^#", format[i]) >= 0; i++ {
			flag = format[i]
		}
		width := 0
		for ; i < len(format) && format[i] >= '0' && format[i] <= '9' && width < 100; i++ {
			width = width*10 + int(format[i]-'0')
		}
		if i+1 < len(format) && strings.IndexByte(alternatives[format[i]], format[i+1]) >= 0 {
			i++
		}
		if i >= len(format) {
			b.WriteString(format[start:])
			break
		}
		b.WriteString(timeField(t, format[i], flag, width, format[start:i+1]))
	}
	return b.String()
}

// alternatives are the directives that may follow E and O, which change nothing in the C locale.
var alternatives = map[byte]string{'E': "cCxXyY", 'O': "deHImMSuUVwWy"}

// compounds are directives that stand for others.
var compounds = map[byte]string{
	'c': "%a %b %e %H:%M:%S %Y", 'D': "%m/%d/%y", 'x': "%m/%d/%y", 'F': "%Y-%m-%d", 'r': "%I:%M:%S %p", 'R': "%H:%M",
	'T': "%H:%M:%S", 'X': "%H:%M:%S",
}

func timeField(t time.Time, verb, flag byte, width int, raw string) string {
	if f, ok := compounds[verb]; ok {
		s := Strftime(t, f)
		if flag == '^' {
			s = strings.ToUpper(s)
		}
		return padLeft(s, width, ' ')
	}
	if verb == 'f' && raw != "%f" {
		return unknownField(raw, flag, width)
	}
	if n, digits, pad, ok := timeNumber(t, verb); ok {
		switch flag {
		case '-':
			digits = 1
		case '_':
			pad = ' '
		case '0':
			pad = '0'
		}
		return padLeft(fmt.Sprint(n), max(digits, width), pad)
	}
	s, ok := timeText(t, verb)
	if !ok {
		return unknownField(raw, flag, width)
	}
	switch {
	case verb == 'P':
	case s == "":
		return ""
	case flag == '^' || flag == '#' && verb != 'p' && verb != 'Z':
		s = strings.ToUpper(s)
	case flag == '#':
		s = strings.ToLower(s)
	}
	return padLeft(s, width, ' ')
}

// unknownField is what glibc makes of a directive that it does not know.
func unknownField(raw string, flag byte, width int) string {
	if flag == '^' {
		raw = strings.ToUpper(raw)
	}
	return padLeft(raw, width, ' ')
}

func padLeft(s string, width int, fill byte) string {
	if n := width - len(s); n > 0 {
		return strings.Repeat(string(fill), n) + s
	}
	return s
}

// timeNumber returns the number of a directive, its least digits and what fills them.
func timeNumber(t time.Time, verb byte) (n, digits int, pad byte, ok bool) {
	isoYear, isoWeek := t.ISOWeek()
	hour12 := (t.Hour()+11)%12 + 1
	monday := (int(t.Weekday()) + 6) % 7
	table := map[byte][3]int{
		'd': {t.Day(), 2, '0'}, 'e': {t.Day(), 2, ' '}, 'm': {int(t.Month()), 2, '0'}, 'y': {t.Year() % 100, 2, '0'},
		'Y': {t.Year(), 1, '0'}, 'C': {t.Year() / 100, 2, '0'}, 'H': {t.Hour(), 2, '0'}, 'k': {t.Hour(), 2, ' '},
		'I': {hour12, 2, '0'}, 'l': {hour12, 2, ' '}, 'M': {t.Minute(), 2, '0'}, 'S': {t.Second(), 2, '0'},
		'j': {t.YearDay(), 3, '0'}, 'w': {int(t.Weekday()), 1, '0'}, 'u': {monday + 1, 1, '0'},
		'U': {(t.YearDay() + 6 - int(t.Weekday())) / 7, 2, '0'}, 'W': {(t.YearDay() + 6 - monday) / 7, 2, '0'},
		'G': {isoYear, 1, '0'}, 'g': {isoYear % 100, 2, '0'}, 'V': {isoWeek, 2, '0'}, 'f': {t.Nanosecond() / 1000, 6, '0'},
		's': {int(t.Unix()), 1, '0'},
	}
	row, ok := table[verb]
	return row[0], row[1], byte(row[2]), ok
}

func timeText(t time.Time, verb byte) (string, bool) {
	switch verb {
	case 'a':
		return t.Weekday().String()[:3], true
	case 'A':
		return t.Weekday().String(), true
	case 'b', 'h':
		return t.Month().String()[:3], true
	case 'B':
		return t.Month().String(), true
	case 'p':
		return map[bool]string{true: "AM", false: "PM"}[t.Hour() < 12], true
	case 'P':
		return map[bool]string{true: "am", false: "pm"}[t.Hour() < 12], true
	case 'n':
		return "\n", true
	case 't':
		return "\t", true
	case '%':
		return "%", true
	case 'Z', 'z':
		return "", true
	}
	return "", false
}
