package sample

import "math"

const (
	underflow   = -104 // exp(x) is below the smallest float32: probability 0, as in a float32 softmax
	stepsPerLn2 = 64 / math.Ln2
	stepHigh    = 0x1.62e42fe000000p-7 // ln 2 / 64 in two parts; k·stepHigh is exact
	stepLow     = 0x1.f473de6af278fp-36
)

// exp returns eˣ for x ≤ 0 with a relative error below 1e-13, and 0 below
// underflow. With x = k·(ln 2 / 64) + r it is 2^(k/64), from a table, times the
// Taylor polynomial of degree 4 of eʳ, |r| ≤ ln 2 / 128 (Tang, Table-driven
// implementation of the exponential function, 1989). Products are rounded
// explicitly, so that no compiler fuses them with the following addition and all
// platforms give the same bits.
func exp(x float64) float64 {
	if x < underflow {
		return 0
	}
	k := int(float64(x*stepsPerLn2) - 0.5)
	r := float64(x-float64(float64(k)*stepHigh)) - float64(float64(k)*stepLow)
	p := float64(r*(1.0/24)) + 1.0/6
	p = float64(p*r) + 0.5
	p = float64(p*r) + 1
	p = float64(p*r) + 1
	return float64(p*exp2[k&63]) * math.Float64frombits(uint64(1023+(k>>6))<<52)
}

// exp2 holds 2^(j/64).
var exp2 = [64]float64{
	0x1.0000000000000p0, 0x1.02c9a3e778061p0, 0x1.059b0d3158574p0, 0x1.0874518759bc8p0,
	0x1.0b5586cf9890fp0, 0x1.0e3ec32d3d1a2p0, 0x1.11301d0125b51p0, 0x1.1429aaea92de0p0,
	0x1.172b83c7d517bp0, 0x1.1a35beb6fcb75p0, 0x1.1d4873168b9aap0, 0x1.2063b88628cd6p0,
	0x1.2387a6e756238p0, 0x1.26b4565e27cddp0, 0x1.29e9df51fdee1p0, 0x1.2d285a6e4030bp0,
	0x1.306fe0a31b715p0, 0x1.33c08b26416ffp0, 0x1.371a7373aa9cbp0, 0x1.3a7db34e59ff7p0,
	0x1.3dea64c123422p0, 0x1.4160a21f72e2ap0, 0x1.44e086061892dp0, 0x1.486a2b5c13cd0p0,
	0x1.4bfdad5362a27p0, 0x1.4f9b2769d2ca7p0, 0x1.5342b569d4f82p0, 0x1.56f4736b527dap0,
	0x1.5ab07dd485429p0, 0x1.5e76f15ad2148p0, 0x1.6247eb03a5585p0, 0x1.6623882552225p0,
	0x1.6a09e667f3bcdp0, 0x1.6dfb23c651a2fp0, 0x1.71f75e8ec5f74p0, 0x1.75feb564267c9p0,
	0x1.7a11473eb0187p0, 0x1.7e2f336cf4e62p0, 0x1.82589994cce13p0, 0x1.868d99b4492edp0,
	0x1.8ace5422aa0dbp0, 0x1.8f1ae99157736p0, 0x1.93737b0cdc5e5p0, 0x1.97d829fde4e50p0,
	0x1.9c49182a3f090p0, 0x1.a0c667b5de565p0, 0x1.a5503b23e255dp0, 0x1.a9e6b5579fdbfp0,
	0x1.ae89f995ad3adp0, 0x1.b33a2b84f15fbp0, 0x1.b7f76f2fb5e47p0, 0x1.bcc1e904bc1d2p0,
	0x1.c199bdd85529cp0, 0x1.c67f12e57d14bp0, 0x1.cb720dcef9069p0, 0x1.d072d4a07897cp0,
	0x1.d5818dcfba487p0, 0x1.da9e603db3285p0, 0x1.dfc97337b9b5fp0, 0x1.e502ee78b3ff6p0,
	0x1.ea4afa2a490dap0, 0x1.efa1bee615a27p0, 0x1.f50765b6e4540p0, 0x1.fa7c1819e90d8p0,
}
