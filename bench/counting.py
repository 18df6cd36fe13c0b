from django.db import connection


def count_queries(get_response):
    """Says in the header X-Queries how many statements an answer took."""

    def middleware(request):
        statements = []

        def count(execute, sql, *args):
            statements.append(sql)
            return execute(sql, *args)

        with connection.execute_wrapper(count):
            response = get_response(request)
        response["X-Queries"] = len(statements)
        return response

    return middleware
