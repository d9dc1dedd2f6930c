// Command mutate shows that the tests notice every missing authorization and every missing tenant filter.
//
// It works on a copy of the source. There, each place that keeps somebody out gets a switch:
//
//	internal/authz  every refusal of Decide
//	internal/app    the action that a use case asks for, a member's limit to some Workers, what a role may give,
//	                comparisons of tenants, ends of log-ins
//	internal/store  every "tenant_id = ?", and "id = ?" of the table of tenants
//
// The test programs are built once, with all switches off, and must pass. They are then run once for each switch, named
// by BAAS_MUTANT, with that one place left out. A run that fails has caught the mutant; one that passes is a survivor
// and a hole in the tests. A place that can be left out without any difference to anybody is listed in equivalent.go
// with the reason.
package main
