import Foundation
import GitModel
import TestSupport
import Testing

/// Two machines on this one: keys, configurations, a source repository, and where the checkout is to be.
final class Installation {
  static let remote = "git@example.org:acme/shop.git"
  /// The program lies beside the test bundle.
  static let executable = Bundle.main.bundleURL.path + "/distro"

  struct Options {
    /// Lines at the end of each configuration, and of the applier's only checkout.
    var signer = ""
    var applier = ""
    var checkout = ""
    var branches = "[main]"
    /// What a test commits is sent when it says so.
    var pollSeconds = "never"
    var state = "var/web1"
    var live = "live"
  }

  /// How `send` and its like have something sent.
  enum Way: String, CaseIterable, CustomTestStringConvertible {
    /// With the configuration, where no daemon runs.
    case ownProcess
    /// By `distro serve`, through its socket, without a configuration.
    case daemon

    var testDescription: String { rawValue }
  }

  let folder: PipelineFolder
  let program: PipelineProgram
  private(set) var way = Way.ownProcess
  private(set) var signer: RunningProgram?
  private var signerText = ""
  private var reloadCount = 0
  let source: PipelineRepository
  let checkout: PipelineRepository
  var options: Options
  private(set) var endpoint: String

  init(_ options: Options = Options()) throws {
    folder = try PipelineFolder()
    program = PipelineProgram(Self.executable, in: folder)
    self.options = options
    endpoint = try FreePort.endpoint()
    source = try PipelineRepository(making: folder.path("shop"), in: folder)
    let live = options.live.hasPrefix("/") ? options.live : folder.path(options.live)
    checkout = PipelineRepository(at: live, in: folder)
    for name in ["signer", "web1"] { try succeed("keygen", name) }
    try writeApplier()
    // Nobody listens on port 1 of the loopback.
    try writeSigner(connect: "tcp://127.0.0.1:1")
  }

  func writeApplier(listen: String? = nil) throws {
    try folder.write(
      "web1.yaml",
      """
      identity: keys/web1.key
      state: \(options.state)
      carriers:
        - zeromq:
            listen: \(listen ?? endpoint)
      trusted-signers: [keys/signer.pub]
      checkouts:
        - remote: \(Self.remote)
          branch: main
          path: \(options.live)
          symbolic-links: any
      \(options.checkout)
      \(options.applier)
      """)
  }

  /// A relay of its own identity on ports of its own, with directories that let in the signer and web1.
  func writeRelay(signers: String? = nil, appliers: String? = nil) throws {
    let files = FileManager.default
    if !files.fileExists(atPath: folder.path("keys/relay.key")) {
      try succeed("keygen", "relay")
      for (role, name) in [("signers", "signer"), ("appliers", "web1")] {
        try files.createDirectory(
          atPath: folder.path("keys/\(role)"), withIntermediateDirectories: false)
        try files.copyItem(
          atPath: folder.path("keys/\(name).pub"),
          toPath: folder.path("keys/\(role)/\(name).pub"))
      }
    }
    try folder.write(
      "relay.yaml",
      """
      identity: keys/relay.key
      state: var/relay
      relay:
        signers: \(try signers ?? FreePort.endpoint())
        appliers: \(try appliers ?? FreePort.endpoint())
        trusted-signers: keys/signers
        trusted-appliers: keys/appliers
      """)
  }

  func writeSigner(connect: String) throws {
    try folder.write(
      "signer.yaml",
      """
      identity: keys/signer.key
      state: var/signer
      carriers:
        - zeromq:
            connect: \(connect)
            server: keys/web1.pub
      repositories:
        - path: shop
          remote: \(Self.remote)
          branches: \(options.branches)
          poll-seconds: \(options.pollSeconds)
          recipients: [keys/web1.pub]
      \(options.signer)
      \(way == .daemon ? "socket: signer.sock" : "")
      """)
  }

  /// From here on; before anything is sent.
  func use(_ way: Way) throws {
    self.way = way
    guard way == .daemon else { return }
    try folder.write("serve.yaml", "signer: signer.yaml\n")
    let path = folder.path("signer.yaml")
    try folder.write(
      "signer.yaml", String(contentsOfFile: path, encoding: .utf8) + "\nsocket: signer.sock\n")
  }

  /// A daemon that sends as the configuration says now.
  private func provideSigner() throws {
    guard way == .daemon else { return }
    guard let signer else {
      _ = try startSigner()
      return
    }
    let text = try String(contentsOfFile: folder.path("signer.yaml"), encoding: .utf8)
    guard text != signerText else { return }
    (signerText, reloadCount) = (text, reloadCount + 1)
    let said = "event=reloaded"
    kill(signer.pid, SIGHUP)
    try #require(
      becomesTrue { signer.log.components(separatedBy: said).count > reloadCount },
      "\(signer.log)")
  }

  /// As `serve.yaml` says; answers when it listens. What is sent from then on is sent by this one.
  func startSigner() throws -> RunningProgram {
    signerText = try String(contentsOfFile: folder.path("signer.yaml"), encoding: .utf8)
    let daemon = try RunningProgram(program, ["serve", "--config", "serve.yaml"])
    try daemon.line(with: "event=ready")
    (signer, reloadCount) = (daemon, 0)
    return daemon
  }

  /// Starts the daemon, on the port that it had the last time; answers when it listens.
  func startDaemon() throws -> RunningProgram {
    let daemon = try RunningProgram(program, ["verify-apply", "--config", "web1.yaml"])
    try adoptEndpoint(of: daemon)
    return daemon
  }

  /// Both configurations name the port that a daemon took.
  func adoptEndpoint(of daemon: RunningProgram) throws {
    let line = try daemon.line(with: "event=listening")
    let end = try #require(line.split(separator: ":").last { $0.first?.isNumber == true })
    endpoint = "tcp://127.0.0.1:" + end.prefix { $0.isNumber }
    try writeApplier()
    try writeSigner(connect: endpoint)
  }

  /// Commits files of 16 MiB that nothing can compress.
  func fillSource(mebibytes: Int) throws {
    let block = PatchCases.randomBytes(16 << 20, seed: 21)
    for number in 0..<mebibytes / 16 {
      var content = Data(repeating: UInt8(truncatingIfNeeded: number), count: 8)
      content.append(contentsOf: block.dropFirst(8).map { $0 ^ UInt8(truncatingIfNeeded: number) })
      try content.write(to: URL(fileURLWithPath: "\(source.path)/large-\(number)"))
    }
    try source.git("-c", "core.compression=0", "add", "-A")
    try source.git("commit", "-q", "-m", "large")
  }

  /// Someone else who has the checkout's lock, until it is ended.
  func holdCheckout() throws -> RunningProgram {
    let holder = try RunningProgram(
      PipelineProgram("/usr/bin/flock", in: folder),
      [
        "-F", checkout.path + "/.git/distro.lock", "sh", "-c", "echo held >&2; exec sleep 600",
      ])
    try holder.line(with: "held")
    return holder
  }

  func run(_ arguments: String..., input: String = "") throws -> ProgramResult {
    try program.run(arguments, input: Array(input.utf8))
  }

  @discardableResult
  func succeed(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) throws
    -> String
  {
    let result = try program.run(arguments)
    #expect(result.status == 0, "\(arguments): \(result.errors)", sourceLocation: sourceLocation)
    return result.text
  }

  /// Waits as long as any test does, unless the arguments say something else.
  func send(_ arguments: String..., input: String = "") throws -> ProgramResult {
    try provideSigner()
    return try program.run(sending(arguments), input: Array(input.utf8))
  }

  /// The same beside the test.
  func startSend(_ arguments: String...) throws -> RunningProgram {
    try provideSigner()
    return try RunningProgram(program, sending(arguments))
  }

  private func sending(_ arguments: [String]) -> [String] {
    let command =
      ["sign-and-send"]
      + (way == .daemon ? ["--socket", "signer.sock"] : ["--config", "signer.yaml"])
    return arguments.contains("--wait")
      ? command + arguments
      : command + ["--wait", "\(patience.components.seconds)"] + arguments
  }

  func sendMain(wait: Int? = nil) throws -> ProgramResult {
    guard let wait else { return try send("--ref", "main") }
    return try send("--ref", "main", "--wait", "\(wait)")
  }

  /// Something that does not come to an end: waits so many seconds, then twice as many, until the words are said. How
  /// long it takes to come to that is the machine's affair.
  func sendMain(until words: String, seconds: Int = 1) throws -> ProgramResult {
    #expect(try sendMain(wait: 0).status == 0)
    var wait = seconds
    while true {
      let result = try send("--flush", "--wait", "\(wait)")
      if (result.text + result.errors).contains(words) || .seconds(wait) > patience / 2 {
        return result
      }
      wait *= 2
    }
  }

  func expectEqual(sourceLocation: SourceLocation = #_sourceLocation) throws {
    #expect(try checkout.id() == source.id("main"), sourceLocation: sourceLocation)
    #expect(try checkout.status() == "", sourceLocation: sourceLocation)
    #expect(try checkout.fsck() == "", sourceLocation: sourceLocation)
  }
}

/// That a command failed in this way, and said so in these words.
func expectFailure(
  _ result: ProgramResult, status: Int32 = 1, _ words: String...,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(result.status == status, "\(result.errors)", sourceLocation: sourceLocation)
  for part in words {
    #expect(result.errors.contains(part), "\(result.errors)", sourceLocation: sourceLocation)
  }
}
