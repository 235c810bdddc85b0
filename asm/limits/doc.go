// Package limits measures what a processor can do at most: multiply-adds in registers, and reading memory in order.
// Measured speeds are stated as a share of these.
package limits

//go:generate go run ./gen
