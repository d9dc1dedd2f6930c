package httpapi_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/baas-platform/baas/internal/httpapi"
)

func TestOpenAPIIsCheckedIn(t *testing.T) {
	want, err := httpapi.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../../api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Fatal("api/openapi.json is not what the routes say; run: make openapi")
	}
}
