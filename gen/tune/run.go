package tune

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sample is one measurement as the program prints it.
type sample struct {
	Contest   int     `json:"contest"`
	Candidate int     `json:"candidate"`
	NS        float64 `json:"ns"`
}

// run runs a program and returns the nanoseconds of each contest, candidate and round.
func run(ctx context.Context, binary string, contests []*contest, rounds int, each time.Duration, done func()) ([][][]float64, error) {
	times := make([][][]float64, len(contests))
	for i, c := range contests {
		times[i] = make([][]float64, len(c.candidates))
	}
	cmd := exec.CommandContext(ctx, binary, strconv.Itoa(rounds), strconv.FormatInt(max(each.Milliseconds(), 1), 10))
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); done() {
		var s sample
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil || s.Contest >= len(times) || s.Candidate >= len(times[s.Contest]) {
			return nil, fmt.Errorf("the program printed %.80q (%v)", lines.Text(), err)
		}
		times[s.Contest][s.Candidate] = append(times[s.Contest][s.Candidate], s.NS)
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(log.String()))
	}
	return times, nil
}

// A Gain is how much faster a candidate is than the first: the median over rounds of the ratio of their times within a
// round, and half of the distance between the quartiles of the ratios, the noise.
type Gain struct {
	Ratio float64 `json:"gain"`
	Noise float64 `json:"noise"`
}

// String is for people.
func (g Gain) String() string { return fmt.Sprintf("%.3f× ± %.3f", g.Ratio, g.Noise) }

// gain compares the times of two candidates, round by round.
func gain(first, other []float64) Gain {
	ratios := make([]float64, len(first))
	for i := range ratios {
		ratios[i] = first[i] / other[i]
	}
	slices.Sort(ratios)
	return Gain{quantile(ratios, 0.5), (quantile(ratios, 0.75) - quantile(ratios, 0.25)) / 2}
}

// quantile interpolates in sorted values.
func quantile(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	low := int(math.Floor(at))
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

// leastGain is what a candidate must bring to be worth a row in a table.
const leastGain = 0.01

// sure reports whether a gain is one beyond the noise. The median of n ratios scatters by about 1.25/√n of a standard
// deviation, which is 1.5 times the noise; a candidate has to be ahead by two of them.
func (g Gain) sure(rounds int) bool {
	return g.Ratio-1 > max(leastGain, 2*1.25*1.5*g.Noise/math.Sqrt(float64(rounds)))
}
