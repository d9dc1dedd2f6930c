// Package conformance runs the engines' conformance suite, and what is particular to Kubernetes, on a real cluster. Its
// tests need one: eval "$(test/kubernetes/cluster.sh up)" as root starts it and says where it is.
package conformance
