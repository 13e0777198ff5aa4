import Foundation
import Synchronization

/// A real ActiveMQ on a port of the loopback, with a directory of its own, so that several may run side by side. Ended
/// with its last reference, by process id.
package final class ActiveMQServer: Sendable {
  package static let user = "distro"
  package static let password = "one-secret"
  private static let home = "/usr/share/activemq"
  private static let java = "/usr/bin/java"

  /// Why there is none on this machine; `nil`: there is.
  package static var absence: String? {
    FileManager.default.fileExists(atPath: home + "/bin/activemq.jar")
      && FileManager.default.isExecutableFile(atPath: java) ? nil : "activemq is not installed"
  }

  /// What differs from a broker with room, rights for all and no TLS.
  package struct Settings: Sendable {
    /// Of its store; what is over it is refused.
    package var storeMebibytes = 4_096
    package var failsIfNoSpace = true
    /// Lines of `authorizationEntry` in place of one for everything.
    package var rights =
      #"<authorizationEntry queue=">" read="distro" write="distro" admin="distro"/>"#
    /// More lines of `authenticationUser`.
    package var users = ""
    /// Of the connector's address, with its question mark.
    package var options = ""
    /// A PKCS #12 file with the password `secret`: a second connector has TLS.
    package var keyStore: String?
    package var asksForUsers = true

    package init() {}
  }

  package let port: UInt16
  package let securedPort: UInt16
  private let folder: PipelineFolder
  private let broker = Mutex<ServingProgram?>(nil)

  package struct Absent: Error { package let reason: String }

  package init(_ settings: Settings = Settings()) throws {
    if let reason = Self.absence { throw Absent(reason: reason) }
    folder = try PipelineFolder()
    (port, securedPort) = (try FreePort.take(), try FreePort.take())
    try folder.write(
      "log4j.properties",
      """
      log4j.rootLogger=INFO, console
      log4j.appender.console=org.apache.log4j.ConsoleAppender
      log4j.appender.console.layout=org.apache.log4j.PatternLayout
      log4j.appender.console.layout.ConversionPattern=%p %m%n

      """)
    try write(settings)
    try start()
  }

  deinit { kill() }

  package var url: String { "stomp://127.0.0.1:\(port)" }

  /// Counts from the next start.
  package func write(_ settings: Settings) throws {
    let plugins =
      settings.asksForUsers
      ? """
      <plugins>
        <simpleAuthenticationPlugin><users>
          <authenticationUser username="distro" password="\(Self.password)" groups="distro"/>
          \(settings.users)
        </users></simpleAuthenticationPlugin>
        <authorizationPlugin><map><authorizationMap><authorizationEntries>
          \(settings.rights)
        </authorizationEntries></authorizationMap></map></authorizationPlugin>
      </plugins>
      """ : ""
    let tls = settings.keyStore.map { store in
      """
      <sslContext><sslContext keyStore="file:\(store)" keyStorePassword="secret" keyStoreType="PKCS12"/></sslContext>
      """
    }
    let secured = "stomp+ssl://127.0.0.1:\(securedPort)"
    try folder.write(
      "activemq.xml",
      """
      <beans xmlns="http://www.springframework.org/schema/beans"
        xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
        xsi:schemaLocation="http://www.springframework.org/schema/beans
          http://www.springframework.org/schema/beans/spring-beans.xsd
          http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
      <broker xmlns="http://activemq.apache.org/schema/core" brokerName="t\(port)" useJmx="false"
        dataDirectory="\(folder.path("data"))" advisorySupport="false" schedulerSupport="false">
        <destinationPolicy><policyMap><policyEntries><policyEntry queue="distro.>"><deadLetterStrategy>
          <individualDeadLetterStrategy queuePrefix="" queueSuffix=".dead" processExpired="false"/>
        </deadLetterStrategy></policyEntry></policyEntries></policyMap></destinationPolicy>
        <persistenceAdapter><kahaDB directory="\(folder.path("data"))/kahadb"
          journalMaxFileLength="2mb" cleanupInterval="500"/></persistenceAdapter>
        \(plugins)
        \(tls ?? "")
        <systemUsage><systemUsage sendFailIfNoSpace="\(settings.failsIfNoSpace)">
          <memoryUsage><memoryUsage limit="128 mb"/></memoryUsage>
          <storeUsage><storeUsage limit="\(settings.storeMebibytes) mb"/></storeUsage>
          <tempUsage><tempUsage limit="64 mb"/></tempUsage>
        </systemUsage></systemUsage>
        <transportConnectors>
          <transportConnector name="stomp" uri="stomp://127.0.0.1:\(port)\(settings.options)"/>
          \(tls == nil ? "" : "<transportConnector name=\"secured\" uri=\"\(secured)\"/>")
        </transportConnectors>
      </broker>
      </beans>

      """)
  }

  /// With what it had on its disk.
  package func start() throws {
    let tmp = folder.path("tmp")
    try FileManager.default.createDirectory(atPath: tmp, withIntermediateDirectories: true)
    let started = try ServingProgram(
      [
        Self.java, "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
        "-Dlog4j.configuration=file:\(folder.path("log4j.properties"))",
        "-Dactivemq.home=\(Self.home)", "-Dactivemq.base=\(folder.path)",
        "-Dactivemq.conf=\(folder.path)", "-Dactivemq.data=\(folder.path("data"))",
        "-Djava.io.tmpdir=\(tmp)", "-jar", Self.home + "/bin/activemq.jar", "start",
        "xbean:file:\(folder.path("activemq.xml"))",
      ], in: folder, log: "activemq.log", until: ") started")
    broker.withLock { $0 = started }
  }

  /// As a power cut does, but for what the kernel has.
  package func kill() { broker.withLock { $0.take() }?.end() }

  /// Without what it had.
  package func forgetAll() throws {
    try FileManager.default.removeItem(atPath: folder.path("data"))
  }

  package var log: String { broker.withLock { $0?.log ?? "" } }

  package var pid: Int32? { broker.withLock { $0?.pid } }
}
