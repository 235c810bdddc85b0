// Package dividend measures what literal shapes bring to a matrix product in float32: the kernel that is generated for a number of columns
// (loops with literal bounds, the last columns without a loop, sizes of tiles as constants), the same kernel with literal strides too, and the
// same kernel that reads the number of columns from a parameter.
//
//	go test ./asm/amd64/dividend -run '^$' -bench . -count 10
package dividend

//go:generate go run ./gen
