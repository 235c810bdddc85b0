package tuning

// Rules of sweeps. Rows are taken in calls whose inputs fit half a second-level cache, weights in calls that stay in the
// third level while the rows pass.
const (
	callRowBytes  = 192 << 10
	callTileBytes = 2 << 20
	maxCallTiles  = 64
)

// SweepRule returns the sweep of a product that no table names, for rows of so many words of 4 bytes and tiles of so many
// bytes. The rows are a multiple of 24, which the kernels' register blocks divide.
func SweepRule(words, tileBytes int) Sweep {
	return Sweep{
		Rows:  min(max(callRowBytes/(4*words)/24*24, 24), 480),
		Tiles: min(max(callTileBytes/tileBytes, 1), maxCallTiles),
	}
}

// Over returns s with what it leaves open taken from rule.
func (s Sweep) Over(rule Sweep) Sweep { return Sweep{or(s.Rows, rule.Rows), or(s.Tiles, rule.Tiles)} }

// Sweeps returns, under its name, what each choice of a sweep can be for a product of n outputs, completed from s.
func Sweeps(s Sweep, n int) map[string][]Sweep {
	choices := map[string][]Sweep{}
	for _, rows := range []int{24, 48, 72, 96, 120, 168, 240, 360, 480} {
		if rows != s.Rows {
			choices["call_rows"] = append(choices["call_rows"], Sweep{rows, s.Tiles})
		}
	}
	for tiles := 4; tiles <= 256 && tiles < 2*(n+15)/16; tiles *= 2 {
		if tiles != s.Tiles {
			choices["call_tiles"] = append(choices["call_tiles"], Sweep{s.Rows, tiles})
		}
	}
	return choices
}
