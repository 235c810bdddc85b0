// Package cpu says which instruction sets the kernels of a generated model may
// use on this processor.
//
// The environment variable TFGEN_CPU forces a level by name, for tests and
// comparisons: TFGEN_CPU=portable runs plain Go everywhere.
package cpu
