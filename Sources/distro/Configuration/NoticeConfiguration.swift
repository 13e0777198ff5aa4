import Mail
import Reporting
import WebClient

/// `notify:` of a signer: who is told of what happens to its machines.
enum NoticeConfiguration {
  private static let keys = ["on"] + ways + ["digest-seconds"]
  private static let ways = ["mail", "slack", "webhook", "run"]
  private static let routeCountMax = 16
  private static let addressCountMax = 20
  private static let serverKeys = ["server", "user", "password-file", "starttls", "ca-file"]
  private static let digestSecondsMax = 3_600

  static func read(_ node: ConfigurationNode?, in file: ConfigurationFile) throws -> [NoticeRoute] {
    guard let node else { return [] }
    let routes = try node.list().map { try route($0, in: file) }
    guard routes.count <= routeCountMax else {
      throw node.invalid("\(routes.count) entries are over the limit of \(routeCountMax)")
    }
    guard Set(routes.map(\.name)).count == routes.count else {
      throw node.invalid("two entries tell the same receiver; put their 'on:' together")
    }
    return routes
  }

  private static func route(
    _ node: ConfigurationNode, in file: ConfigurationFile
  ) throws -> NoticeRoute {
    let mapping = try node.mapping(keys: keys)
    let kinds = try mapping["on"].list().map { try $0.choice(NoticeKind.self) }
    guard !kinds.isEmpty else { throw try mapping["on"].invalid("names nothing") }
    let named = ways.filter { mapping[optional: $0] != nil }
    guard named.count == 1 else {
      throw node.invalid("exactly one of these expected: \(ways.joined(separator: ", "))")
    }
    let seconds = try mapping[optional: "digest-seconds"]?.count() ?? 10
    guard seconds <= digestSecondsMax else {
      throw try mapping["digest-seconds"].invalid("over the limit of \(digestSecondsMax)")
    }
    return NoticeRoute(
      Set(kinds), try way(named[0], try mapping[named[0]], in: file),
      digestSeconds: UInt64(seconds))
  }

  private static func way(
    _ name: String, _ node: ConfigurationNode, in file: ConfigurationFile
  ) throws -> NoticeRoute.Way {
    switch name {
    case "mail": return .mail(try mail(node, in: file))
    case "slack":
      let mapping = try node.mapping(keys: ["url-file", "ca-file", "proxy"])
      return .slack(
        urlFile: try file.path(try mapping["url-file"]),
        try WebConfiguration.read(mapping, in: file))
    case "run": return .program(try program(node, in: file))
    default:
      let mapping = try node.mapping(keys: ["url", "secret-file", "ca-file", "proxy"])
      return .webhook(
        try mapping["url"].address(), secretFile: try file.path(try mapping["secret-file"]),
        try WebConfiguration.read(mapping, in: file))
    }
  }

  private static func mail(
    _ node: ConfigurationNode, in file: ConfigurationFile
  ) throws -> MailRoute {
    let mapping = try node.mapping(keys: ["to", "from", "sendmail"] + serverKeys)
    let to = try mapping["to"].list().map { try address($0) }
    guard (1...addressCountMax).contains(to.count), Set(to).count == to.count else {
      throw try mapping["to"].invalid("1 to \(addressCountMax) addresses expected, each once")
    }
    let from = try address(try mapping["from"])
    guard let sendmail = mapping[optional: "sendmail"] else {
      return MailRoute(to: to, from: from, by: try server(mapping, node, in: file))
    }
    if let key = serverKeys.first(where: { mapping[optional: $0] != nil }) {
      throw try mapping[key].invalid("is for a server, and 'sendmail' names a program instead")
    }
    return MailRoute(to: to, from: from, by: .sendmail(try program(sendmail, in: file)))
  }

  private static func server(
    _ mapping: ConfigurationMapping, _ node: ConfigurationNode, in file: ConfigurationFile
  ) throws -> MailRoute.Way {
    let user = try mapping[optional: "user"]?.string()
    let password = try mapping[optional: "password-file"].map { try file.path($0) }
    guard (user == nil) == (password == nil) else {
      throw node.invalid("'user' and 'password-file' belong together")
    }
    let server = try server(
      try mapping["server"], startTLS: try mapping[optional: "starttls"]?.truth(),
      certificateFile: try mapping[optional: "ca-file"].map { try file.path($0) })
    guard let user, let password else { return .server(server, nil) }
    return .server(server, MailLogin(user: user, passwordFile: password))
  }

  private static func program(
    _ node: ConfigurationNode, in file: ConfigurationFile
  ) throws -> NoticeProgram {
    let words = try file.words(node)
    return NoticeProgram(words[0], Array(words.dropFirst()))
  }

  private static func server(
    _ node: ConfigurationNode, startTLS: Bool?, certificateFile: String?
  ) throws -> MailServer {
    let text = try node.string()
    do throws(MailError) {
      return try MailServer(text, startTLS: startTLS, certificateFile: certificateFile)
    } catch {
      throw node.invalid("\(error)")
    }
  }

  private static func address(_ node: ConfigurationNode) throws -> MailAddress {
    let text = try node.string()
    do throws(MailError) {
      return try MailAddress(text)
    } catch {
      throw node.invalid("\(error)")
    }
  }
}
