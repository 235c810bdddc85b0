package weightfile

import "syscall"

// The advice that mapFile and check give: see madvise(2).
const (
	willNeed  = syscall.MADV_WILLNEED // read ahead: all will be verified now
	hugePages = 14                    // MADV_HUGEPAGE, fewer TLB misses where the file system can
)

// advise tells the kernel how mapped data will be used. A refusal changes
// nothing but speed, so it is not an error.
func advise(data []byte, advice int, mapped bool) {
	if mapped {
		_ = syscall.Madvise(data, advice)
	}
}
