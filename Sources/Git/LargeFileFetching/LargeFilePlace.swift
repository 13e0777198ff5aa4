import Foundation
import Git
import GitModel
import Upstreams
import WebClient

/// Where the contents of an upstream's large files are.
///
/// Source: git-lfs, docs/api/server-discovery.md.
enum LargeFilePlace: Equatable {
  /// `token`: the one that is for it.
  case server(WebAddress, token: UpstreamSettings.Token?)
  /// The upstream's host says by ssh; `path`: of the repository, as the host finds it.
  case authenticated(path: String)
  /// A repository of this machine.
  case repository(path: String)

  private static let configurationName = Array(".lfsconfig".utf8)
  private static let configurationByteCountMax = 1 << 20

  /// By what this machine's configuration says, or else the revision's `.lfsconfig`, or else the upstream's URL.
  ///
  /// Everyone who may push can change `.lfsconfig`. Its URL is used only if it has the scheme, host and port of the upstream:
  /// neither a token nor a key is shown to another server, and no request goes to a server that the operator did not name.
  init(
    of mirror: Mirror, at tree: ObjectID
  ) throws(LargeFileFetchError) {
    let settings = mirror.settings
    if let url = settings.largeFileURL {
      let address = try Self.address(url, settings)
      self = .server(address, token: try Self.token(for: address, settings))
      return
    }
    // git-lfs looks there as well, and needs no server.
    guard settings.url.transport != .file else {
      self = .repository(path: settings.url.localPath)
      return
    }
    guard let named = try Self.named(by: tree, in: mirror) else {
      self = try Self.place(of: settings.url, settings)
      return
    }
    let url: UpstreamURL
    do throws(UpstreamError) { url = try UpstreamURL(named) } catch { throw .upstream(error) }
    guard url.isAtSamePlace(as: settings.url) else {
      throw .placeElsewhere(settings.url, named: WebResponse.plain(named))
    }
    self =
      url.transport == .ssh
      ? .authenticated(path: url.path)
      : .server(try Self.address(named, settings), token: settings.token)
  }

  private static func place(
    of url: UpstreamURL, _ settings: UpstreamSettings
  ) throws(LargeFileFetchError) -> LargeFilePlace {
    switch url.transport {
    case .ssh: .authenticated(path: url.path)
    case .file: .repository(path: url.localPath)
    case .https, .http:
      .server(try address(derived(from: url.text), settings), token: settings.token)
    }
  }

  private static func derived(from text: String) -> String {
    let url = text.hasSuffix("/") ? String(text.dropLast()) : text
    return url + (url.hasSuffix(".git") ? "" : ".git") + "/info/lfs"
  }

  /// What an ssh host does not name: its repository, by https.
  static func address(
    besides url: UpstreamURL, _ settings: UpstreamSettings
  ) throws(LargeFileFetchError) -> WebAddress {
    let path = url.path.hasPrefix("/") ? url.path : "/" + url.path
    return try address(derived(from: "https://\(url.host)\(path)"), settings)
  }

  static func address(
    _ text: String, _ settings: UpstreamSettings
  ) throws(LargeFileFetchError) -> WebAddress {
    do throws(WebError) {
      return try WebAddress(text, allowsPlainHTTP: settings.allowsPlainHTTP)
    } catch {
      throw .web(error)
    }
  }

  /// The upstream's own only where the server is at the upstream's own place.
  private static func token(
    for address: WebAddress, _ settings: UpstreamSettings
  ) throws(LargeFileFetchError) -> UpstreamSettings.Token? {
    if let token = settings.largeFileToken { return token }
    guard let token = settings.token,
      address.hasSameOrigin(as: try Self.address(settings.url.text, settings))
    else { return nil }
    return token
  }

  /// `lfs.url` of the revision's `.lfsconfig`.
  private static func named(
    by tree: ObjectID, in mirror: Mirror
  ) throws(LargeFileFetchError) -> String? {
    do {
      let objects = try Repository(opening: mirror.path).objects
      let tree = try objects.tree(tree)
      guard let item = tree.item(named: configurationName[...]),
        let entry = tree.entry(of: item), entry.mode == .regular || entry.mode == .executable,
        try objects.header(entry.id).byteCount <= configurationByteCountMax
      else { return nil }
      return try mirror.configuration(in: entry.id).last { $0.key == "lfs.url" }?.value
    } catch let error as GitError {
      throw .upstream(.git(error))
    } catch let error as UpstreamError {
      throw .upstream(error)
    } catch {
      preconditionFailure("\(error)")
    }
  }
}

extension UpstreamURL {
  /// Scheme, host and port; of ssh, the user as well.
  fileprivate func isAtSamePlace(as other: UpstreamURL) -> Bool {
    transport == other.transport && host.lowercased() == other.host.lowercased()
      && user == other.user && effectivePort == other.effectivePort
  }

  private var effectivePort: UInt16? {
    switch transport {
    case .https: port ?? 443
    case .http: port ?? 80
    case .ssh: port ?? 22
    case .file: nil
    }
  }

  /// git decodes what is written as a URL.
  fileprivate var localPath: String {
    text.contains("://") ? path.removingPercentEncoding ?? path : path
  }
}
