// Microsoft's library for Java against the Entra twin: a token for an application, with its own settings and nothing else.
import com.microsoft.aad.msal4j.ClientCredentialFactory;
import com.microsoft.aad.msal4j.ClientCredentialParameters;
import com.microsoft.aad.msal4j.ConfidentialClientApplication;
import java.util.Set;
import java.util.concurrent.ExecutionException;

public class Daemon {
    public static void main(String[] told) throws Exception {
        String authority = told[0], client = told[1], secret = told[2], scope = told[3];
        boolean local = told.length > 4;
        var app = ConfidentialClientApplication.builder(client, ClientCredentialFactory.createFromSecret(secret))
                .authority(authority)
                .instanceDiscovery(!local)
                .build();
        try {
            var found = app.acquireToken(ClientCredentialParameters.builder(Set.of(scope)).build()).get();
            System.out.println(found.accessToken());
        } catch (ExecutionException refused) {
            System.out.println(refused.getCause().getMessage());
            System.exit(1);
        }
    }
}
