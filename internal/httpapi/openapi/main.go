// Command openapi writes the OpenAPI document of the API to the file that it is given.
package main

import (
	"fmt"
	"os"

	"github.com/baas-platform/baas/internal/httpapi"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("give the file to write")
	}
	doc, err := httpapi.OpenAPI()
	if err != nil {
		return err
	}
	return os.WriteFile(args[0], doc, 0o644)
}
