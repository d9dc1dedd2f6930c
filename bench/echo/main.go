// Command echo is the bot that bench reaches directly and through the gateway: the least that a bot can be.
package main

import (
	"io"
	"net/http"
	"os"
)

func main() {
	answer := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }
	if err := http.ListenAndServe(":"+os.Getenv("PORT"), http.HandlerFunc(answer)); err != nil {
		os.Exit(1)
	}
}
