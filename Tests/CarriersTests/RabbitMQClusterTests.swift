import BrokerCarrier
import CarrierProtocol
import MessageFormat
import RabbitMQ
import RabbitMQCarrier
import TestSupport
import Testing

/// Three nodes, of which one after the other dies under a stream of messages.
@Suite(
  .serialized, .enabled(if: RabbitMQServer.absence == nil, "rabbitmq-server is not installed"),
  .enabled(if: ClusterTrial.isAsked, "it takes minutes: make test-brokers"))
struct RabbitMQClusterTests {
  private let servers: [RabbitMQServer]
  private let trial: ClusterTrial
  private let plan: RabbitMQPlan
  private let folder: TemporaryFolder

  init() throws {
    let folder = try TemporaryFolder()
    self.folder = folder
    servers = try RabbitMQServer.cluster()
    trial = try ClusterTrial(in: folder)
    let nodes = servers.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
    plan = try RabbitMQPlan(
      "amqp://distro@\(nodes)/", passwordFile: try folder.file(RabbitMQServer.password + "\n"),
      authorities: nil)
    // Each queue is to be on three nodes: they are made when all three are there.
    for machine in trial.readers + [trial.sender] {
      let connection = try RabbitMQBroker(plan).connect(as: machine.mailbox)
      connection.close()
    }
    for server in servers {
      server.noteDeclaration()
      server.waitForQueues()
    }
  }

  @Test func `one node after the other dies and nothing is lost or comes twice`() throws {
    try trial.run(
      by: { BrokerCarrier(try RabbitMQBroker(plan), timeouts: CarrierFixture.timeouts) },
      kill: { servers[$0].kill() }, start: { try servers[$0].start() },
      isWhole: {
        try servers[0].control("list_queues", "name", "online")
          .split(separator: "\n").filter { $0.hasPrefix("distro.") && !$0.contains(".dead") }
          .allSatisfy { $0.split(separator: ",").count == servers.count }
      },
      states: {
        try trial.states + [
          servers[1].control(
            "list_queues", "name", "messages", "messages_unacknowledged", "consumers", "leader",
            "online")
        ]
      })
  }
}
