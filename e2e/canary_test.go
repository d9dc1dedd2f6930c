package e2e

import (
	"io/fs"
	"path/filepath"
)

// walkFiles visits every regular file below dir.
func walkFiles(dir string, visit func(name string, size int64)) error {
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			visit(name, info.Size())
		}
		return nil
	})
}
