// Command bench measures the product against its budgets in one run on one machine: it starts control planes as
// processes of their own, with real Workers on the Docker Engine where a Worker matters, and drives them over loopback.
// It prints a table, writes bench/report.json and ends with status 1 when a budget isn't kept.
//
//	go run ./bench                       everything; the ledger for 5 minutes on each database
//	BENCH_SECONDS=20 go run ./bench      the ledger for 20 seconds on each database
//	go run ./bench -only gateway,api     some of it
//
// It needs bin/baas, a Docker Engine on this machine, root (to read an agent's memory) and BAAS_TEST_POSTGRES_URL;
// scripts/bench.sh sees to all of that. What it makes it removes.
//
// "cluster" is made only when it is asked for (make bench-kubernetes): it needs a Kubernetes, which
// test/kubernetes/cluster.sh starts, and puts Workers on simulated nodes there.
//
// What is compared is measured in turns, so that a busy machine disturbs both sides alike.
package main
