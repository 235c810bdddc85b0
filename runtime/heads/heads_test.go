package heads

import (
	"fmt"
	"math"
	"reflect"
	"testing"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestClasses(t *testing.T) {
	got := Classes([]float32{0, float32(math.Log(3)), float32(math.Log(4))}, []string{"a", "b"}, false)
	if len(got) != 3 || got[0].Label != "LABEL_2" || got[1].Label != "b" || got[2].Label != "a" || math.Abs(got[0].Score-0.5) > 1e-6 {
		t.Errorf("%v", got)
	}
	got = Classes([]float32{0, 2}, []string{"a", "b"}, true)
	if !near(got[0].Score, 1/(1+math.Exp(-2))) || !near(got[1].Score, 0.5) {
		t.Errorf("%v", got)
	}
	if got = Classes([]float32{0}, nil, false); !near(got[0].Score, 0.5) {
		t.Errorf("%v", got)
	}
}

func TestTags(t *testing.T) {
	text := "Ada Lovelace met Bob Eve"
	labels := []string{"O", "B-PER", "I-PER"}
	rows := []int{0, 1, 2, 2, 0, 1, 1, 0}
	offsets := [][2]int{{0, 0}, {0, 3}, {4, 8}, {8, 12}, {13, 16}, {17, 20}, {21, 24}, {0, 0}}
	var logits []float32
	for _, best := range rows {
		row := make([]float32, 3)
		row[best] = 10
		logits = append(logits, row...)
	}
	var got []string
	for _, tag := range Tags(text, logits, labels, offsets) {
		got = append(got, fmt.Sprintf("%s %s %d-%d", tag.Label, tag.Text, tag.Start, tag.End))
		if tag.Score < 0.99 || tag.Score > 1 {
			t.Errorf("score %v", tag.Score)
		}
	}
	if want := []string{"PER Ada Lovelace 0-12", "PER Bob 17-20", "PER Eve 21-24"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if Tags("", nil, nil, nil) != nil {
		t.Error("tags of nothing")
	}
}

func TestSpans(t *testing.T) {
	text := "the cat sat"
	offsets := [][2]int{{0, 0}, {0, 3}, {4, 7}, {8, 11}, {0, 0}}
	inside := []bool{false, true, true, true, false}
	got := Spans(text, []float32{50, 0, 3, 0, 50}, []float32{50, 0, 0, 3, 50}, offsets, inside, 2, 15)
	p := math.Exp(3) / (math.Exp(3) + 2)
	if len(got) != 2 || got[0].Text != "cat sat" || got[0].Start != 4 || math.Abs(got[0].Score-p*p) > 1e-9 || got[1].Score > got[0].Score {
		t.Errorf("%+v", got)
	}
	if got = Spans(text, []float32{0, 0, 3, 0, 0}, []float32{0, 0, 0, 3, 0}, offsets, inside, 1, 1); got[0].Text == "cat sat" {
		t.Errorf("%+v is longer than one token", got)
	}
	if Spans("", nil, nil, nil, nil, 1, 1) != nil {
		t.Error("an answer in nothing")
	}
}

func TestFills(t *testing.T) {
	got := Fills([]float32{0, 5, 1}, 2, func(id int32) string { return fmt.Sprint("t", id) })
	if len(got) != 2 || got[0].ID != 1 || got[0].Text != "t1" || got[1].ID != 2 || got[0].Score < 0.9 {
		t.Errorf("%+v", got)
	}
}
