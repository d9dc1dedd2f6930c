package agent

import (
	"compress/flate"
	"errors"

	"golang.org/x/sys/unix"
)

// isCorrupt tells data that can't be decompressed.
func isCorrupt(err error) bool {
	var c flate.CorruptInputError
	return errors.As(err, &c)
}

// pathIsAtFault tells errors of a path from those of the file system below it.
func pathIsAtFault(err error) bool {
	for _, e := range []error{unix.ENOTDIR, unix.EISDIR, unix.EEXIST, unix.ENAMETOOLONG, unix.ENOTEMPTY, unix.ELOOP, unix.EINVAL} {
		if errors.Is(err, e) {
			return true
		}
	}
	return err != nil && err.Error() == "path escapes from parent"
}
