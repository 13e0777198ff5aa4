import ArgumentParser
import Signer

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows, for every stream and recipient, the newest message and what became of it.",
    discussion: "  distro status --config config/signer.yaml")

  @Option(help: "The signer's configuration.")
  var config: String

  @Flag(help: "Prints JSON.")
  var json = false

  func run() throws {
    let outbox = try Outbox(directory: try SignerConfiguration.state(config))
    let messages = try outbox.newest()
    if json {
      Terminal.print(try StatusReport.json(messages))
    } else if messages.isEmpty {
      Terminal.print("nothing was sent yet")
    } else {
      Terminal.print(StatusReport.table(messages))
    }
  }
}
