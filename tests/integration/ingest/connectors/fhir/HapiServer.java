import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.annotation.OptionalParam;
import ca.uhn.fhir.rest.annotation.Search;
import ca.uhn.fhir.rest.annotation.Sort;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.api.SortSpec;
import ca.uhn.fhir.rest.api.server.IBundleProvider;
import ca.uhn.fhir.rest.api.server.RequestDetails;
import ca.uhn.fhir.rest.param.DateRangeParam;
import ca.uhn.fhir.rest.param.TokenOrListParam;
import ca.uhn.fhir.rest.server.FifoMemoryPagingProvider;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.SimpleBundleProvider;
import ca.uhn.fhir.rest.server.provider.HashMapResourceProvider;
import ca.uhn.fhir.util.FhirTerser;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Date;
import java.util.List;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.hl7.fhir.instance.model.api.IBaseCoding;
import org.hl7.fhir.instance.model.api.IBaseResource;

/**
 * HAPI's plain server, R4 below /r4 and R4B below /r4b, over Jetty, its resources in memory. What is HAPI's: routing, parsing,
 * Bundles, pages and their links, `_elements`, versions, ids. What is ours: the few search
 * parameters that the connector asks with, which HAPI leaves to whoever has the store.
 */
public final class HapiServer {

  /** HAPI's map of resources, with stamps and searches. */
  public static final class Kept<T extends IBaseResource> extends HashMapResourceProvider<T> {
    private final FhirTerser terser;

    Kept(FhirContext context, Class<T> type) {
      super(context, type);
      terser = context.newTerser();
    }

    @Override
    public synchronized MethodOutcome create(T resource, RequestDetails details) {
      resource.getMeta().setLastUpdated(new Date());
      return super.create(resource, details);
    }

    @Override
    public synchronized MethodOutcome update(T resource, String condition, RequestDetails details) {
      resource.getMeta().setLastUpdated(new Date());
      return super.update(resource, condition, details);
    }

    @Search
    public synchronized IBundleProvider find(
        @OptionalParam(name = "_lastUpdated") DateRangeParam updated,
        @OptionalParam(name = "status") TokenOrListParam status,
        @OptionalParam(name = "class") TokenOrListParam classes,
        @OptionalParam(name = "type") TokenOrListParam types,
        @Sort SortSpec sort) {
      List<IBaseResource> found = new ArrayList<>();
      for (T one : getAllResources()) {
        if (isWithin(one, updated)
            && hasStatus(one, status)
            && hasCode(one, "class", classes)
            && hasCode(one, "type.coding", types)) {
          found.add(one);
        }
      }
      if (sort != null && sort.getParamName().equals("_lastUpdated")) {
        found.sort(Comparator.comparing(one -> one.getMeta().getLastUpdated()));
      }
      return new SimpleBundleProvider(found);
    }

    private boolean isWithin(T one, DateRangeParam range) {
      Date from = range == null ? null : range.getLowerBoundAsInstant();
      return from == null || !one.getMeta().getLastUpdated().before(from);
    }

    private boolean hasStatus(T one, TokenOrListParam wanted) {
      String status = wanted == null ? null : terser.getSinglePrimitiveValueOrNull(one, "status");
      return wanted == null
          || wanted.getValuesAsQueryTokens().stream().anyMatch(t -> t.getValue().equals(status));
    }

    private boolean hasCode(T one, String path, TokenOrListParam wanted) {
      return wanted == null
          || terser.getValues(one, path, IBaseCoding.class).stream()
              .anyMatch(
                  coding ->
                      wanted.getValuesAsQueryTokens().stream()
                          .anyMatch(
                              t ->
                                  t.getValue().equals(coding.getCode())
                                      && t.getSystem().equals(coding.getSystem())));
    }
  }

  private static final List<String> TYPES =
      List.of("Patient", "Encounter", "Composition", "DocumentReference");

  private static List<Kept<?>> kept(FhirContext context) {
    return TYPES.stream()
        .<Kept<?>>map(
            type -> new Kept<>(context, context.getResourceDefinition(type).getImplementingClass()))
        .toList();
  }

  private static RestfulServer server(FhirContext context, List<Kept<?>> kept) {
    RestfulServer server = new RestfulServer(context);
    server.registerProviders(kept);
    server.setPagingProvider(
        new FifoMemoryPagingProvider(50).setDefaultPageSize(20).setMaximumPageSize(1000));
    return server;
  }

  public static void main(String[] arguments) throws Exception {
    ServletContextHandler handler = new ServletContextHandler("/");
    List<Kept<?>> all = new ArrayList<>();
    for (FhirContext context : List.of(FhirContext.forR4(), FhirContext.forR4B())) {
      List<Kept<?>> kept = kept(context);
      String path = "/" + context.getVersion().getVersion().name().toLowerCase() + "/*";
      handler.addServlet(new ServletHolder(server(context, kept)), path);
      all.addAll(kept);
    }
    HttpServlet reset =
        new HttpServlet() {
          @Override
          protected void doPost(HttpServletRequest request, HttpServletResponse response) {
            all.forEach(Kept::clear);
          }
        };
    handler.addServlet(new ServletHolder(reset), "/reset");
    Server jetty = new Server(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])));
    jetty.setHandler(handler);
    jetty.start();
    jetty.join();
  }
}
