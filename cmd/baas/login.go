package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/baas-platform/baas/client"
)

func (c *cli) loginCommand() *cobra.Command {
	var email string
	var stdin bool
	cmd := &cobra.Command{
		Use:   "login URL --email E-MAIL",
		Short: "Log in to a platform",
		Long: "Log in to a platform, for all following commands. The log-in is kept in baas/config.json in your folder for settings, " +
			"which only you can read. For programs, make an API token instead and set BAAS_URL and BAAS_TOKEN.",
		Args: args(1),
		RunE: func(cmd *cobra.Command, a []string) error {
			if email == "" {
				return usageError{errors.New("--email is missing")}
			}
			cl, err := client.New(a[0], "")
			if err != nil {
				return usageError{err}
			}
			password, err := c.password(stdin)
			if err != nil {
				return err
			}
			s, err := cl.LogIn(cmd.Context(), email, password)
			if err != nil {
				return err
			}
			if err := writeSettings(settings{URL: a[0], Secret: s.Secret, Email: s.User.Email, Tenant: c.tenant}); err != nil {
				return err
			}
			return c.done(s, "Logged in to %s as %s until %s.", a[0], s.User.Email, s.ExpiresAt.Local().Format("2006-01-02"))
		},
	}
	c.flags(cmd)
	cmd.Flags().StringVar(&email, "email", "", "your e-mail address")
	cmd.Flags().BoolVar(&stdin, "password-stdin", false, "read the password from the standard input")
	return cmd
}

// password asks for a password without showing it.
func (c *cli) password(stdin bool) (string, error) {
	if stdin {
		return readLine(c.in)
	}
	f, ok := c.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return "", usageError{errors.New("nobody can be asked for the password; use --password-stdin")}
	}
	fmt.Fprint(c.err, "Password: ")
	b, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(c.err)
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return string(b), nil
}

func (c *cli) logoutCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "logout",
		Short: "End the log-in",
		Args:  args(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := readSettings()
			if err != nil {
				return err
			}
			if s.Secret == "" {
				return c.done(struct{}{}, "Not logged in.")
			}
			cl, err := client.New(s.URL, s.Secret)
			if err == nil {
				err = cl.LogOut(cmd.Context())
			}
			if werr := writeSettings(settings{URL: s.URL, Tenant: s.Tenant}); werr != nil {
				return werr
			}
			if err != nil {
				return fmt.Errorf("the log-in was forgotten here, but the platform didn't end it: %w", err)
			}
			return c.done(struct{}{}, "Logged out.")
		},
	}
}
