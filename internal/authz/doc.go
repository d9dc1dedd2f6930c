// Package authz decides what an actor may do: roles × actions, the scopes of an API token, and the state of the tenant.
// It is pure; package app calls it once in every use case. testdata/matrix.txt holds the whole matrix.
//
// Two kinds of people never mix. Members act within their tenant, by their role. Operators of the platform make and
// change tenants and plans; they are not members of tenants and see none of their Workers, bots and secrets, unless a
// support session lets them: then they act with SupportRole, without what outlasts the session or destroys data.
package authz
