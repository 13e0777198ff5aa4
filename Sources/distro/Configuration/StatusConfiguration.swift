import Foundation
import MessageFormat
import Reporting
import WebClient

/// `status:` of a signer's repository: which code host shows how far a push has come.
enum StatusConfiguration {
  static let keys = [
    "host", "api", "token-file", "project", "machines", "deployments", "link", "ca-file", "proxy",
  ]

  static func read(
    _ node: ConfigurationNode, of remote: RemoteName, in file: ConfigurationFile
  ) throws -> StatusTarget {
    let mapping = try node.mapping(keys: keys)
    let host = try mapping["host"].choice(CodeHost.self)
    let makesDeployments = try mapping[optional: "deployments"]?.truth() ?? false
    if makesDeployments, !host.makesDeployments {
      throw try mapping["deployments"].invalid("only GitHub and GitLab have deployments")
    }
    return StatusTarget(
      remote: remote, host: host, api: try api(mapping, of: host),
      tokenFile: try file.path(try mapping["token-file"]),
      project: try project(mapping, of: host, remote, node),
      showsMachines: try mapping[optional: "machines"]?.truth() ?? true,
      makesDeployments: makesDeployments,
      link: try mapping[optional: "link"].map { try $0.address().text },
      web: try WebConfiguration.read(mapping, in: file))
  }

  private static func api(
    _ mapping: ConfigurationMapping, of host: CodeHost
  ) throws -> WebAddress {
    guard let node = mapping[optional: "api"] else {
      guard let standard = host.apiDefault else {
        throw ConfigurationError.missingKey("api", mapping.place)
      }
      return try WebAddress(standard + host.apiPath)
    }
    let address = try node.address()
    let text = address.text.hasSuffix("/") ? String(address.text.dropLast()) : address.text
    return try WebAddress(text.hasSuffix(host.apiPath) ? text : text + host.apiPath)
  }

  private static func project(
    _ mapping: ConfigurationMapping, of host: CodeHost, _ remote: RemoteName,
    _ node: ConfigurationNode
  ) throws -> CodeProject {
    let form =
      switch host {
      case .gitlab: "group/name, or the project's number"
      case .bitbucketDataCenter: "KEY/slug"
      default: "owner/name"
      }
    if let own = mapping[optional: "project"] {
      guard let project = CodeProject(try own.string(), of: host) else {
        throw own.invalid("\(form) expected")
      }
      return project
    }
    guard let project = CodeProject(remote: remote.text, of: host) else {
      throw node.invalid("the project does not follow from \(remote): add 'project: \(form)'")
    }
    return project
  }
}

/// `ca-file:` and `proxy:`, wherever something is asked by HTTP.
enum WebConfiguration {
  static func read(
    _ mapping: ConfigurationMapping, in file: ConfigurationFile
  ) throws -> WebSettings {
    WebSettings(
      certificateFile: try mapping[optional: "ca-file"].map { try file.path($0) },
      proxy: try mapping[optional: "proxy"].map { try proxy($0) })
  }

  private static func proxy(_ node: ConfigurationNode) throws -> WebSettings.Proxy {
    guard let parts = URLComponents(string: try node.string()), parts.scheme == "http",
      let host = parts.host, !host.isEmpty, parts.user == nil, ["", "/"].contains(parts.path)
    else { throw node.invalid("http://host:port expected") }
    return .init(host: host, port: parts.port ?? 3_128)
  }
}

extension ConfigurationNode {
  func truth() throws -> Bool {
    switch try string() {
    case "true", "yes": return true
    case "false", "no": return false
    default: throw invalid("true or false expected, found '\(try string())'")
    }
  }

  /// An `https:` URL, or an `http:` one of this machine.
  func address() throws -> WebAddress {
    let text = try string()
    do throws(WebError) { return try WebAddress(text) } catch { throw invalid("\(error)") }
  }
}
