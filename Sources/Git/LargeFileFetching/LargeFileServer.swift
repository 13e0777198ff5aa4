import Foundation
import GitModel
import Upstreams
import WebClient

/// An LFS server, as it is asked now: its address, and what we show to it.
struct LargeFileServer: Sendable {
  /// Before a right of the server's ends.
  private static let expiryMargin: Duration = .seconds(10)
  private static let answerByteCountMax = 8 << 20
  private static let redirectCountMax = 5
  /// A slower connection than this is given up, in time.
  private static let bytesPerSecondMin: UInt64 = 64 << 10

  let address: WebAddress
  private let headers: [WebRequest.Header]
  private let credential: UpstreamError.Credential
  private let endsAt: ContinuousClock.Instant?
  private let settings: UpstreamSettings

  /// `nil`: the place is a repository of this machine.
  init?(
    at place: LargeFilePlace, of mirror: Mirror
  ) throws(LargeFileFetchError) {
    settings = mirror.settings
    switch place {
    case .repository: return nil
    case .server(let address, let token):
      self.address = address
      credential = token.map { .token($0.file.path) } ?? .none
      headers = try token.map { token throws(LargeFileFetchError) in try Self.basic(token) } ?? []
      endsAt = nil
    case .authenticated(let path):
      let access = try Self.access(at: path, of: mirror)
      address = try Self.address(of: access, settings)
      guard let headers = Batch.headers(access.header) else {
        throw .invalid(
          place: settings.url.text, reason: "git-lfs-authenticate names headers that are none")
      }
      self.headers = headers
      credential = settings.credential
      endsAt = access.expiresIn.map { .now + .seconds(min(max($0, 0), 86_400)) }
    }
  }

  var hasExpired: Bool { endsAt.map { $0 - Self.expiryMargin <= .now } ?? false }

  private static func basic(
    _ token: UpstreamSettings.Token
  ) throws(LargeFileFetchError) -> [WebRequest.Header] {
    do {
      let pair = "\(token.user):\(try token.file.firstLine())"
      return [.init("Authorization", "Basic " + Data(pair.utf8).base64EncodedString())]
    } catch {
      throw .upstream(.secret(error))
    }
  }

  private static func access(
    at path: String, of mirror: Mirror
  ) throws(LargeFileFetchError) -> Batch.Access {
    let said: [UInt8]
    do throws(UpstreamError) {
      said = try mirror.authenticateLargeFiles(at: path)
    } catch {
      switch error {
      case .repositoryMissing(let url, let detail), .failed(let url, let detail):
        throw .notOffered(url, detail: detail)
      default: throw .upstream(error)
      }
    }
    guard let access = Batch.decode(Batch.Access.self, said) else {
      throw .notOffered(
        mirror.settings.url, detail: "git-lfs-authenticate says something else than where it is")
    }
    return access
  }

  private static func address(
    of access: Batch.Access, _ settings: UpstreamSettings
  ) throws(LargeFileFetchError) -> WebAddress {
    guard let href = access.href, !href.isEmpty else {
      return try LargeFilePlace.address(besides: settings.url, settings)
    }
    return try LargeFilePlace.address(href, settings)
  }

  // MARK: - Questions

  /// The server's word on each of these.
  func ask(
    for pointers: [LargeFilePointer], on branch: String, with client: WebClient
  ) throws(FetchFault) -> [LargeFilePointer: Batch.Answer.Object] {
    let question = Batch.encode(Batch.Question(pointers, on: branch))
    let response: WebResponse
    do throws(WebError) {
      let request = WebRequest(
        .post, try address.appending("/objects/batch"),
        headers: [
          .init("Accept", Batch.mediaType),
          .init("Content-Type", Batch.mediaType + "; charset=utf-8"),
        ],
        credentials: headers, body: question, deadline: .seconds(settings.answerSeconds))
      response = try client.send(request, byteCountMax: Self.answerByteCountMax)
    } catch {
      throw FetchFault(of: error)
    }
    guard response.isSuccess else { throw fault(response) }
    guard let answer = Batch.decode(Batch.Answer.self, response.body) else {
      throw FetchFault(
        .invalid(place: address.text, reason: "does not answer as an LFS server does"))
    }
    guard answer.transfer ?? "basic" == "basic" else {
      throw FetchFault(
        .invalid(
          place: address.text, reason: "offers no transfer that is 'basic', which we asked for"))
    }
    let byName = Dictionary(answer.objects.map { ($0.oid, $0) }) { first, _ in first }
    return Dictionary(
      uniqueKeysWithValues: pointers.compactMap { pointer in
        byName[pointer.name].map { (pointer, $0) }
      })
  }

  private func fault(_ response: WebResponse) -> FetchFault {
    let (status, said) = (response.status, response.message)
    switch status {
    case 401, 403:
      // Of one that ssh has just given, it may have ended.
      return FetchFault(
        .upstream(
          .credentialRejected(
            settings.url, credential,
            detail: "HTTP \(status) of \(address.host)" + (said.isEmpty ? "" : ": \(said)"))),
        isPassing: endsAt != nil && status == 401, response)
    case 404, 405, 406, 415, 501:
      return FetchFault(.serverMissing(place: address.text, status: status))
    default:
      return FetchFault(
        .rejected(place: address.text, status: status, said: said),
        isPassing: FetchFault.isPassing(status), response)
    }
  }

  /// What brings the content that an answer is about; throws what the server says in its place.
  func request(
    for pointer: LargeFilePointer, _ answer: Batch.Answer.Object?
  ) throws(FetchFault) -> WebRequest {
    if let error = answer?.error {
      throw FetchFault(
        .object(
          pointer, host: address.host, status: error.code,
          said: WebResponse.plain(error.message ?? "")),
        isPassing: FetchFault.isPassing(error.code))
    }
    guard let answer, let action = answer.actions?.download else {
      throw FetchFault(
        .object(
          pointer, host: address.host, status: 404, said: "it names no place to download it from"))
    }
    let place: WebAddress
    do throws(WebError) {
      place = try WebAddress(action.href, allowsPlainHTTP: settings.allowsPlainHTTP)
    } catch {
      throw FetchFault(
        .invalid(place: address.text, reason: "names a place that is no URL we ask"))
    }
    guard place.isEncrypted || !address.isEncrypted else {
      throw FetchFault(
        .invalid(place: address.text, reason: "sends us to \(place.origin), without TLS"))
    }
    guard var shown = Batch.headers(action.header) else {
      throw FetchFault(.invalid(place: address.text, reason: "names headers that are none"))
    }
    // What is for this server is shown to no other.
    if place.hasSameOrigin(as: address), answer.authenticated != true {
      let names = Set(shown.map { $0.name.lowercased() })
      shown += headers.filter { !names.contains($0.name.lowercased()) }
    }
    let seconds = settings.timeoutSeconds + pointer.byteCount / Self.bytesPerSecondMin
    return WebRequest(
      .get, place, credentials: shown, deadline: .seconds(seconds),
      redirectCountMax: Self.redirectCountMax)
  }
}

extension UpstreamSettings {
  fileprivate var answerSeconds: UInt64 { min(timeoutSeconds, max(10, timeoutSeconds / 10)) }
}
