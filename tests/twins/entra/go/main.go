// Microsoft's library for Go against the Entra twin, with its own local settings and nothing else.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
)

func main() {
	authority, client, secret, scope := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	credential, err := confidential.NewCredFromSecret(secret)
	stop(err)
	local := len(os.Args) > 5
	app, err := confidential.New(authority, client, credential, confidential.WithInstanceDiscovery(!local))
	stop(err)
	found, err := app.AcquireTokenByCredential(context.Background(), []string{scope})
	stop(err)
	fmt.Println(found.AccessToken)
}

func stop(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
