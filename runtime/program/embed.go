package program

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"strconv"

	"github.com/tfgen/tfgen/runtime/heads"
)

// embedding holds the flags of embed.
type embedding struct {
	*opening
	json       bool
	similarity bool
	width      int
}

// embedCommand adds the flags of embed and returns its action.
func embedCommand(e *env, f *flag.FlagSet) func([]string) error {
	o := &embedding{opening: e.openingFlags(f)}
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	f.BoolVar(&o.similarity, "similarity", false, "print the cosine similarity of all pairs instead of the vectors")
	f.IntVar(&o.width, "dim", 0, "cut vectors to so many `elements` and give them length 1 again, for models trained for that; 0: do not")
	return func(texts []string) error { return e.embed(o, texts) }
}

// embed prints the vectors of texts.
func (e *env) embed(o *embedding, texts []string) (err error) {
	if o.width < 0 {
		return misuse("embed: dim %d: must be 0 or positive", o.width)
	}
	if texts, err = e.texts(texts); err != nil {
		return err
	}
	model, err := e.open(o.opening)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	vectors, err := model.Embed(e.ctx, texts)
	if err != nil {
		return err
	}
	for i, v := range vectors {
		if o.width > 0 {
			vectors[i] = heads.Cut(v, o.width)
		}
	}
	switch {
	case o.similarity && o.json:
		return e.printJSON(map[string]any{"model": e.model.Name, "texts": texts, "similarity": similarity(vectors)})
	case o.similarity:
		return e.printSimilarity(texts, similarity(vectors))
	case o.json:
		return e.printJSON(map[string]any{"model": e.model.Name, "texts": texts, "embeddings": vectors})
	}
	return e.printVectors(vectors)
}

// printVectors prints a vector a line, its numbers separated by spaces, with the
// digits that give back the same float32.
func (e *env) printVectors(vectors [][]float32) error {
	var line []byte
	for _, v := range vectors {
		line = line[:0]
		for i, x := range v {
			if i > 0 {
				line = append(line, ' ')
			}
			line = strconv.AppendFloat(line, float64(x), 'g', -1, 32)
		}
		if _, err := e.out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// printSimilarity prints the matrix, a row a text, with the text behind it.
func (e *env) printSimilarity(texts []string, matrix [][]float64) error {
	for i, row := range matrix {
		for _, x := range row {
			fmt.Fprintf(e.out, "%7.4f ", x)
		}
		if _, err := fmt.Fprintf(e.out, " %s\n", texts[i]); err != nil {
			return err
		}
	}
	return nil
}

// similarity returns the cosine of the angle of all pairs of vectors, 0 for a
// pair with a zero vector.
func similarity(vectors [][]float32) [][]float64 {
	matrix := make([][]float64, len(vectors))
	for i, a := range vectors {
		matrix[i] = make([]float64, len(vectors))
		for j, b := range vectors {
			if norm := math.Sqrt(dot(a, a) * dot(b, b)); norm > 0 {
				matrix[i][j] = dot(a, b) / norm
			}
		}
	}
	return matrix
}

// dot returns the inner product.
func dot(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
