import ActiveMQCarrier
package import BrokerCarrier
package import CarrierProtocol
package import MessageFormat
import NATS
import NATSCarrier
import RabbitMQ
import RabbitMQCarrier
import STOMP
package import TestSupport

/// A place at a real broker where there are mailboxes: how a configuration names it, our carrier's way to it, and its bare
/// client's.
package struct BrokerPlace: Sendable {
  /// Of those that the test servers want one of.
  package static let password = RabbitMQServer.password

  package let name: String
  /// Of a list of carriers in a configuration.
  package let entry: String
  package let plan: any CarrierPlan
  package let broker: @Sendable () throws -> any Broker
  package let bare: @Sendable (Mailbox) -> any BareQueue
  /// Runs as long as this is kept.
  private let server: any Sendable

  /// `passwordFile`: as an absolute path. `virtualHost`: empty, or one that was made.
  package static func rabbitMQ(
    _ server: RabbitMQServer, virtualHost: String = "", passwordFile: String
  ) throws -> BrokerPlace {
    let url = server.url + virtualHost
    let address = try RabbitMQAddress(url)
    let plan = try RabbitMQPlan(url, passwordFile: passwordFile, authorities: nil)
    return BrokerPlace(
      name: "RabbitMQ (AMQP)",
      entry: "rabbitmq: {url: \"\(url)\", password-file: \"\(passwordFile)\"}", plan: plan,
      broker: { try RabbitMQBroker(plan) },
      bare: { BareRabbitMQ(address: address, queue: $0.queueName) }, server: server)
  }

  package static func stomp(
    _ name: String, _ url: String, _ server: any Sendable, passwordFile: String
  ) throws -> BrokerPlace {
    let address = try STOMPAddress(url)
    let plan = try ActiveMQPlan(
      url, as: .init(ActiveMQServer.user, passwordFile: passwordFile), authorities: nil)
    let login = "user: \(ActiveMQServer.user), password-file: \"\(passwordFile)\""
    return BrokerPlace(
      name: name, entry: "activemq: {url: \"\(url)\", \(login)}", plan: plan,
      broker: { ActiveMQBroker(plan) }, bare: { BareSTOMP(address: address, mailbox: $0) },
      server: server)
  }

  package static func nats(_ server: NATSServer) throws -> BrokerPlace {
    let address = try NATSAddress(server.url)
    let plan = try NATSPlan([address], .none, authorities: nil, replicas: 1)
    return BrokerPlace(
      name: "NATS", entry: "nats: {urls: [\"\(server.url)\"]}", plan: plan,
      broker: { try NATSBroker(plan) }, bare: { BareNATS(address: address, mailbox: $0) },
      server: server)
  }

  /// A queue as our carrier makes it.
  package func makeQueue(of mailbox: Mailbox) throws {
    let connection = try broker().connect(as: mailbox)
    try connection.consume(prefetch: 256)
    connection.close()
  }
}
