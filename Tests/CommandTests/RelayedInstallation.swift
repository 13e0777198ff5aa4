import Foundation
import TestSupport
import Testing

extension Installation {
  /// On the ports that it had the last time; both configurations name them.
  func startRelay(_ environment: [String: String] = [:]) throws -> RunningProgram {
    let relay = try RunningProgram(
      program, ["relay", "--config", "relay.yaml"], environment: environment)
    let line = try relay.line(with: "event=listening")
    let fields = Dictionary(
      line.split(separator: " ").compactMap { word -> (String, String)? in
        let parts = word.split(separator: "=", maxSplits: 1)
        return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
      }
    ) { first, _ in first }
    let (signers, appliers) = (try #require(fields["signers"]), try #require(fields["appliers"]))
    try writeRelay(signers: signers, appliers: appliers)
    for (name, endpoint) in [("signer", signers), ("web1", appliers)] {
      try connect(name, to: endpoint)
    }
    return relay
  }

  /// This configuration's carrier is the relay, found there.
  func connect(_ name: String, to endpoint: String) throws {
    let path = folder.path("\(name).yaml")
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(
      separator: "\n", omittingEmptySubsequences: false)
    let changed = lines.flatMap { line -> [String] in
      let word = line.drop { $0 == " " }
      if word.hasPrefix("server:") { return [] }
      guard word.hasPrefix("connect:") || word.hasPrefix("listen:") else { return [String(line)] }
      let indent = String(repeating: " ", count: line.count - word.count)
      return ["\(indent)connect: \(endpoint)", "\(indent)server: keys/relay.pub"]
    }
    try folder.write("\(name).yaml", changed.joined(separator: "\n"))
  }

  func startApplier(_ environment: [String: String] = [:]) throws -> RunningProgram {
    try RunningProgram(
      program, ["verify-apply", "--config", "web1.yaml"], environment: environment)
  }
}
