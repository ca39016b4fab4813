// SPDX-License-Identifier: Apache-2.0
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

/**
 * A real node of OpenSearch or Elasticsearch, whichever runner is on the class path, until it is killed. Arguments: its
 * folder, its port for HTTP, settings as name=value. Says READY once it answers.
 */
public class Node {
    private static final String[][] KINDS = {
        {"org.codelibs.opensearch.runner.OpenSearchRunner", "org.opensearch.common.settings.Settings$Builder", "cluster_manager"},
        {"org.codelibs.elasticsearch.runner.ElasticsearchClusterRunner", "org.elasticsearch.common.settings.Settings$Builder", "master"}};

    private static boolean there(String name) {
        try {
            Class.forName(name);
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    public static void main(String[] args) throws Exception {
        String[] kind = there(KINDS[0][0]) ? KINDS[0] : KINDS[1];
        Class<?> runnerClass = Class.forName(kind[0]), settings = Class.forName(kind[1]), builder = Class.forName(kind[0] + "$Builder");
        Method put = settings.getMethod("put", String.class, String.class);
        Method putList = settings.getMethod("putList", String.class, String[].class);
        Object runner = runnerClass.getConstructor().newInstance();
        Object configure = Proxy.newProxyInstance(Node.class.getClassLoader(), new Class<?>[] {builder}, (proxy, method, given) -> {
            if (!method.getName().equals("build")) return null;
            put.invoke(given[1], "network.host", "127.0.0.1");
            put.invoke(given[1], "http.port", args[1]);
            put.invoke(given[1], "transport.port", "0");
            put.invoke(given[1], "cluster.routing.allocation.disk.threshold_enabled", "false");
            putList.invoke(given[1], "node.roles", new String[] {kind[2], "data", "ingest"});
            for (int i = 2; i < args.length; ++i) {
                String[] setting = args[i].split("=", 2);
                put.invoke(given[1], setting[0], setting[1]);
            }
            return null;
        });
        runnerClass.getMethod("onBuild", builder).invoke(runner, configure);
        String[] said = {"-numOfNode", "1", "-basePath", args[0], "-clusterName", "vigie-test", "-useLogger"};
        runnerClass.getMethod("build", String[].class).invoke(runner, (Object) said);
        runnerClass.getMethod("ensureYellow", String[].class).invoke(runner, (Object) new String[0]);
        // The runner takes System.out for its log.
        new FileOutputStream(FileDescriptor.out).write("READY\n".getBytes());
        Thread.currentThread().join();
    }
}
